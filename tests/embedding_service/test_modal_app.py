"""What `modal deploy` would send, seen without an account or a network."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement

from resources.embedding.protocol import EmbeddingModel
from serving.embedding_service import modal_app, modal_image
from tests.embedding_service.running import running
from tests.embedding_service.test_embedding import vector_in

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]

MODELS = ["offline", str(ROOT / "tests" / "embedding" / "clap_fixture")]

# Nothing but the image's packages, which are the program's last argument, can be imported.
ONLY_PACKAGES = """
import sys
from importlib.metadata import packages_distributions
allowed = {"mood-search", *sys.argv[-1].split()}
owners = packages_distributions()
class Absent:
    def find_spec(self, name, path=None, target=None):
        owner = owners.get(name.split(".")[0], [])
        if owner and not {each.lower().replace("_", "-") for each in owner} & allowed:
            raise ModuleNotFoundError(f"{name} is not in the image")
sys.meta_path.insert(0, Absent())
"""

IN_THE_IMAGE = f"""{ONLY_PACKAGES}
import resources.embedding.clap.model
import serving.embedding_service as service
from resources.settings import load_settings
service.create_embedding_service(service.open_model(load_settings()))
print(service.__file__)
"""

# As the SDK does before it imports the module in a container.
IN_A_CONTAINER = """
from modal._runtime.task_lifecycle_manager import _TaskLifecycleManager
_TaskLifecycleManager("ta-1", "fu-1", None, None, None)
import modal
assert not modal.is_local()
import serving.embedding_service.modal_app as module
service = module.ClapService._get_user_cls()()
service.load()
service.web()
print(module.__file__)
"""

PROXY_AUTH = """
from modal._utils.async_utils import synchronizer
from serving.embedding_service import modal_app
web = modal_app.ClapService._get_user_cls().__dict__["web"]
print(synchronizer._translate_in(web).params.webhook_config.requires_proxy_auth)
"""


def run(program: str, *arguments: str, folder: Path = ROOT, **environment: str) -> str:
    """What the program prints, in a Python of its own in `folder`."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def image_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources that the image has and no others."""
    folder = tmp_path_factory.mktemp("root")

    def left_out(at: str, names: list[str]) -> list[str]:
        files = [name for name in names if (Path(at) / name).is_file()]
        return [name for name in files if modal_image.is_left_out(Path(at) / name)]

    for package in modal_image.SOURCES:
        shutil.copytree(ROOT / package, folder / package, ignore=left_out)
    return folder


def test_the_class_serves_over_http_without_an_account(model: EmbeddingModel) -> None:
    application = modal_app.ClapService().web.local()
    with running(application) as url:
        answer = httpx.post(f"{url}/embed_text", json={"text": "rain"}, trust_env=False)
        (expected,) = model.embed_text(["rain"])
        assert vector_in(answer) @ expected > 0.9999
        health = httpx.get(f"{url}/healthz", trust_env=False).json()
        assert health["fingerprint"] == model.model.fingerprint


@pytest.mark.parametrize("clap_model", MODELS, ids=["offline", "clap"])
def test_a_container_starts_with_the_files_of_the_image(image_files: Path, clap_model: str) -> None:
    printed = run(IN_A_CONTAINER, folder=image_files, CLAP_MODEL=clap_model)
    assert printed.startswith(str(image_files))


@pytest.mark.parametrize("clap_model", MODELS, ids=["offline", "clap"])
def test_the_service_needs_nothing_but_the_packages_of_the_image(
    image_files: Path, clap_model: str
) -> None:
    packages = " ".join(modal_image.IMAGE_PACKAGES)
    printed = run(IN_THE_IMAGE, packages, folder=image_files, CLAP_MODEL=clap_model)
    assert printed.startswith(str(image_files))


def test_the_image_has_every_package_that_its_packages_need() -> None:
    needed = {
        _normal(requirement.name)
        for package in modal_image.IMAGE_PACKAGES
        for line in importlib.metadata.requires(package) or []
        if (requirement := Requirement(line)).marker is None
        or requirement.marker.evaluate({"extra": ""})
    }
    assert needed <= modal_image.IMAGE_PACKAGES


def test_the_images_versions_are_those_of_the_project() -> None:
    text = modal_image.REQUIREMENTS.read_text()
    pins = modal_image.pinned(text, modal_image.IMAGE_PACKAGES)
    assert {Requirement(pin).name for pin in pins} == modal_image.IMAGE_PACKAGES
    assert all("==" in pin and "\\" not in pin and "--hash" not in pin for pin in pins)
    here = {
        pin.name: str(pin.specifier)
        for pin in map(Requirement, pins)
        if pin.marker is None or pin.marker.evaluate()
    }
    assert here["numpy"] == f"=={importlib.metadata.version('numpy')}"


def test_a_package_that_is_not_pinned_is_named() -> None:
    with pytest.raises(ValueError, match="not pinned: leftpad"):
        modal_image.pinned("av==1.0 \\\n    --hash=sha256:00\n", frozenset({"av", "leftpad"}))


def test_the_endpoint_asks_for_a_proxy_token_when_the_settings_have_one() -> None:
    assert run(PROXY_AUTH) == "False"
    assert run(PROXY_AUTH, MODAL_PROXY_KEY="wk-1", MODAL_PROXY_SECRET="ws-1") == "True"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
