"""What `retry` and `drop` share: finding what is parked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from daemon.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daemon.store.datasets import DatasetRow
    from daemon.store.deliveries import DeliveryRow
    from daemon.store.opening import Store


def selection(command: Callable[..., None]) -> Callable[..., None]:
    """What is meant: ids, a catalog, everything (also if nothing is said)."""
    for decorate in (
        click.argument("idents", metavar="[ID]...", nargs=-1),
        click.option("--catalog", metavar="NAME", help="Only deliveries to this catalog."),
        click.option(
            "--all", "everything", is_flag=True, help="Everything that is parked; so it is without an ID too."
        ),
    ):
        command = decorate(command)
    return command


def find_parked(
    store: Store, idents: Sequence[str], catalog: str | None, *, everything: bool
) -> tuple[list[DeliveryRow], list[DatasetRow]]:
    """The parked deliveries and datasets that are meant; an id is a delivery's number, `dataset-N` or a dataset's id.

    Raises NotFoundError for an id that nothing parked has, click.UsageError for a contradiction.
    """
    if everything and idents:
        raise click.UsageError("--all and an ID exclude each other.")
    deliveries = [one for one in store.deliveries.parked() if catalog in {None, one.catalog}]
    datasets = store.datasets.parked() if catalog is None else []
    if not idents:
        return deliveries, datasets
    found: list[DeliveryRow] = []
    waiting: list[DatasetRow] = []
    for ident in dict.fromkeys(idents):
        of_delivery = [one for one in deliveries if ident in {str(one.id), one.unique_id}]
        of_dataset = [one for one in datasets if ident in {f"dataset-{one.id}", one.unique_id}]
        if not of_delivery and not of_dataset:
            raise NotFoundError(f"Nothing parked has the id {ident}.", "`labferry status CONFIG` lists what is parked.")
        found += [one for one in of_delivery if one not in found]
        waiting += [one for one in of_dataset if one not in waiting]
    return found, waiting
