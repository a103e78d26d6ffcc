"""`python -m app.offices …`: the offices of this server, made and upgraded by one command each."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click

from app.offices import making, nginx, running
from app.offices.names import OfficeError, Places


@click.group()
@click.option(
    "--settings-root", default="/etc/aduan", type=click.Path(path_type=Path), show_default=True
)
@click.option(
    "--data-root", default="/var/lib/aduan", type=click.Path(path_type=Path), show_default=True
)
@click.option(
    "--code-root", default="/opt/aduan", type=click.Path(path_type=Path), show_default=True
)
@click.pass_context
def main(context: click.Context, settings_root: Path, data_root: Path, code_root: Path) -> None:
    """The offices of this server. Nothing is shared between them but the code."""
    context.obj = Places(settings=settings_root, data=data_root, code=code_root)


@main.command("make")
@click.argument("name")
@click.option("--host", required=True, help="The host name that the office is reached by.")
@click.option(
    "--database-url",
    required=True,
    envvar="ADMIN_DATABASE_URL",
    help="A superuser's address of the PostgreSQL server: postgresql://postgres@host/postgres.",
)
@click.option("--store", default="", help="s3://bucket/prefix for files; its own folder without.")
@click.option("--redis", default="", help="redis://host/0, for several app servers.")
@click.option("--no-system-user", is_flag=True, help="Leave the system's users alone.")
@click.option("--release/--no-release", "now", default=True, help="Run the release step at once.")
@click.pass_obj
def make_command(
    places: Places, name: str, host: str, database_url: str, store: str, redis: str,
    no_system_user: bool, now: bool,
) -> None:  # fmt: skip
    """Make an office: roles, database, keys, settings, folder, user, tables."""
    making.make(
        making.Wanted(
            name, host, database_url, places, store, redis, system_user=not no_system_user
        )
    )
    print(f"{name}: made. Its settings and keys: {places.env_file(name)} (keep a copy in the safe)")
    if now:
        print(f"{name}: {running.release(name, places)}")
    print(
        f"""Next:
    python -m app.offices nginx {name} --host {host} > /etc/nginx/sites-enabled/aduan-{name}.conf
    systemctl enable --now aduan@{name}.socket aduan@{name} aduan-worker@{name} aduan-backup@{name}.timer"""
    )


@main.command("list")
@click.pass_obj
def list_command(places: Places) -> None:
    """Every office, its host, its database, and the schema that it stands at."""
    for name in places.names():
        found = running.standing(name, places)
        print(f"{found.name:20}  {found.revision:14}  {found.host:32}  {found.database}")


@main.command("upgrade")
@click.argument("names", nargs=-1)
@click.option("--restart", is_flag=True, help="Restart the services of each that succeeded.")
@click.pass_obj
def upgrade_command(places: Places, names: tuple[str, ...], restart: bool) -> None:
    """Run the release step of NAMES, or of `all`, one after the other; ends with 1 when any failed.

    One that fails is told and keeps no other waiting. Its services go on with the old schema.
    """
    if not names:
        raise click.UsageError("which offices? Their names, or all")
    chosen = places.names() if names == ("all",) else list(names)
    failed = []
    for name in chosen:
        try:
            print(f"{name}: {running.release(name, places)}", flush=True)
            if restart:
                units = [f"aduan@{name}.service", f"aduan-worker@{name}.service"]
                subprocess.run(["systemctl", "restart", *units], check=True)
        except (OfficeError, subprocess.CalledProcessError, OSError) as error:
            failed.append(name)
            print(f"{name}: FAILED: {error}", file=sys.stderr, flush=True)
    print(f"offices upgraded: {len(chosen) - len(failed)} of {len(chosen)}")
    if failed:
        raise OfficeError(f"not upgraded: {', '.join(failed)}")


@main.command("run", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--owner", is_flag=True, help="As the role that owns the tables.")
@click.pass_obj
def run_command(places: Places, name: str, words: tuple[str, ...], owner: bool) -> None:
    """`flask WORDS` for one office, as its user: `run batang verify`."""
    raise SystemExit(running.flask(name, words, places, owner=owner).returncode)


@main.command("nginx")
@click.argument("name")
@click.option("--host", required=True)
@click.option("--upstream", "upstreams", multiple=True, help="address:port of an app server; its socket here without.")  # fmt: skip
@click.option("--certificates", default="", help="Folder with fullchain.pem and privkey.pem.")
@click.option("--watcher", "watchers", multiple=True, default=("127.0.0.1", "::1"), help="Who may ask the probes.")  # fmt: skip
@click.option("--max-upload-mb", default=10, type=click.IntRange(1, 100), show_default=True)
@click.pass_obj
def nginx_command(
    places: Places, name: str, host: str, upstreams: tuple[str, ...], certificates: str,
    watchers: tuple[str, ...], max_upload_mb: int,
) -> None:  # fmt: skip
    """Print the office's part of nginx."""
    print(
        nginx.site(
            name, host, places=replace(places), max_upload_mb=max_upload_mb,
            upstreams=upstreams, certificates=certificates, watchers=watchers,
        ), end="",
    )  # fmt: skip


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except (OfficeError, click.UsageError) as error:
        sys.exit(f"aduan: {error}")
    except click.Abort:
        sys.exit(130)
