"""The schema `moodsearch`: its migrations, and what is asked of an app's tables."""
