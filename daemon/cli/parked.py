"""What `retry` and `drop` share: finding what is parked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from daemon.errors import NotFoundError

if TYPE_CHECKING:
    from daemon.store.datasets import DatasetRow
    from daemon.store.deliveries import DeliveryRow
    from daemon.store.opening import Store

id_argument = click.argument("ident", metavar="[ID]", required=False)


def find_parked(store: Store, ident: str | None) -> tuple[list[DeliveryRow], list[DatasetRow]]:
    """The parked deliveries and datasets, all or those of one delivery or dataset id. Raises NotFoundError."""
    deliveries = store.deliveries.parked()
    datasets = store.datasets.parked()
    if ident is None:
        return deliveries, datasets
    deliveries = [one for one in deliveries if ident in {str(one.id), one.unique_id}]
    datasets = [one for one in datasets if ident in {f"dataset-{one.id}", one.unique_id}]
    if not deliveries and not datasets:
        raise NotFoundError(f"Nothing parked has the id {ident}.", "`labferry status CONFIG` lists what is parked.")
    return deliveries, datasets
