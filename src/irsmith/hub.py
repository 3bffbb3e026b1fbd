"""Put a dataset on the Hugging Face hub."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from irsmith import scratch
from irsmith.dataset import manifest
from irsmith.dataset.load import load
from irsmith.errors import StoppedError, UserError
from irsmith.export import export
from irsmith.export.hf import croissant
from irsmith.places import check_within


@dataclass(frozen=True, slots=True)
class Pushed:
    """What went to the hub, or would go.

    Attributes:
        repo: The repository.
        files: Path in the repository to bytes.
        url: Where the commit can be seen; None where nothing was sent.
    """

    repo: str
    files: dict[str, int]
    url: str | None


def push(
    directory: Path, repo: str, *, private: bool = False, dry_run: bool = False, endpoint: str | None = None
) -> Pushed:
    """Upload a dataset in the layout of the format ``hf``.

    Args:
        directory: A dataset, which is laid out on the way, or a folder that ``export`` made in that format.
        repo: ``owner/name`` of a dataset repository, made if there is none.
        private: Whether a new repository is private.
        dry_run: Only find out what would go.
        endpoint: The hub's address, if it is not the public one or what ``HF_ENDPOINT`` says.

    Raises:
        UserError: The folder is neither, or holds a link to elsewhere, the repository's name cannot be one, or the
            library is not installed.
        StoppedError: The hub did not take it.
    """
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError
        from huggingface_hub.utils._validators import validate_repo_id
    except ModuleNotFoundError:
        raise UserError("push: needs a library: pip install 'irsmith[hub]'") from None
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise UserError(f"{repo!r} cannot be a repository's name: {error}") from None
    with _laid_out(directory) as folder:
        files = {path.relative_to(folder).as_posix(): path.stat().st_size for path in _files(folder)}
        if dry_run:
            return Pushed(repo, files, None)
        api = HfApi(endpoint=endpoint, library_name="irsmith")
        try:
            api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
            # What an earlier version of the dataset had and this one has not is removed.
            commit = api.upload_folder(
                repo_id=repo,
                repo_type="dataset",
                folder_path=folder,
                allow_patterns=[glob.escape(name) for name in files],
                delete_patterns=["data/**", croissant.FILE],
                commit_message=f"Upload {sum(files.values())} bytes of irsmith rows",
            )
        except LocalTokenNotFoundError:
            raise UserError("push: no token: log in with `hf auth login`, or set HF_TOKEN") from None
        except (HfHubHTTPError, OSError) as error:
            raise StoppedError(f"{repo}: the hub did not take it: {error}") from None
        return Pushed(repo, files, str(commit.commit_url))


@contextmanager
def _laid_out(directory: Path) -> Iterator[Path]:
    if (directory / croissant.FILE).exists() and not (directory / manifest.FILE).exists():
        yield directory
        return
    dataset = load(directory)
    with scratch.folder("push") as folder:
        export(dataset, folder / "hf", "hf")
        yield folder / "hf"


def _files(folder: Path) -> Iterator[Path]:
    """What of a folder goes to the hub: all that is not hidden, and nothing from elsewhere."""
    home = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if not any(name.startswith(".") for name in path.relative_to(folder).parts):
            check_within(home, path)
            if path.is_file():
                yield path
