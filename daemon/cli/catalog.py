"""`labferry catalog DIR`: serve a local catalog, its API at /api/v3 and its pages at /."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="catalog")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any free port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--ready-fd", type=int, hidden=True, help="Tell the starting process here, and end with it.")
def command(folder: Path, port: int, host: str, ready_fd: int | None) -> None:
    """Serve the local catalog in DIR (made if it is not there) until Ctrl-C.

    Example: labferry catalog /srv/catalog --port 8765
    """
    from daemon.localcatalog import server
    from daemon.localcatalog.folder import read_token

    def ready(where: dict[str, str]) -> None:
        if ready_fd is not None:
            server.announce(ready_fd, where)
            return
        click.echo(f"API:   {where['url']}  (token in {where['token_file']})")
        click.echo(f"pages: {where['pages']}?token={read_token(folder)}")

    if ready_fd is not None:
        server.end_with_parent()
    server.serve(folder, host, port, ready)
