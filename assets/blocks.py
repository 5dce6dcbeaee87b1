"""The partitions of every asset: blocks of track ids. `pipelines` decides which exist and run."""

import dagster as dg

from resources.catalogue.work.blocks import Block

TRACK_BLOCKS = dg.DynamicPartitionsDefinition(name="track_blocks")


def block_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Block:
    """The block that this run works on."""
    return Block.from_key(context.partition_key)
