# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Ceph's RADOS Gateway: a whole cluster of one mon, one osd and one radosgw, in two seconds.

It is the store that the users of this package run, with its tenants, quota, lifecycle and STS.
Objects live in memory (memstore) and are gone with the stop.

The programs are those of this machine, or those of a root: a directory with another Debian, whose
Ceph has another version. `versions.py` beside this file makes such roots.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from pathlib import Path

from .process import (
    HOST,
    Missing,
    clean_environment,
    find_program,
    free_port,
    stop_process,
    wait_for_port,
)
from .service import Service

PACKAGES = "radosgw ceph-mon ceph-osd"
_PROGRAMS = ("radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "ceph", "monmaptool")

ROOT_VARIABLE = "OAREPO_S3_TEST_CEPH_ROOT"
"""Names the directory of another Debian, whose Ceph is to be run."""

# Every Debian has this empty directory; a mount there leaves no trace in the root.
_STATE_IN_ROOT = Path("/mnt")

# Each command replaces the one before it, so the program has the process id that we started, and
# the mounts end with it: nobody else sees them.
_ENTER_ROOT = f"""\
set -e
root=$1 state=$2
shift 2
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$state" "$root{_STATE_IN_ROOT}"
exec chroot "$root" "$@"
"""

_CONFIGURATION = """\
[global]
fsid = {fsid}
mon_host = v2:{host}:{mon_port}

# Loopback only, and nothing below /var or /etc.
public_addr = {host}
cluster_addr = {host}
public_network = {host}/8
ms_bind_ipv6 = false
# A port that is taken is for us to replace, not for the daemon to wait for.
ms_bind_retry_count = 1
ms_bind_retry_delay = 0
mon_data = {state}/mon
osd_data = {state}/osd
mgr_data = {state}/mgr
rgw_data = {state}/rgw
run_dir = {state}
crash_dir = {state}
keyring = /dev/null
admin_socket =
# To stderr, which is our log file.
log_file =
log_to_stderr = true
mon_cluster_log_to_file = false

# No keys between the daemons.
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_mon_client_mode = crc

# One osd is the whole cluster, and a disk that is nearly full is no reason to stop.
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_max_pg_per_osd = 1000
mon_data_avail_warn = 2
mon_data_avail_crit = 1

# In memory, with no state worth saving.
osd_objectstore = memstore
memstore_device_bytes = 8589934592
osd_class_load_list = *
osd_class_default_list = *

# Decide fast: the defaults wait for mons on other machines.
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
mon_tick_interval = 1

rgw_frontends = beast endpoint={host}:{rgw_port}
rgw_dns_name =
rgw_enable_ops_log = false
rgw_crypt_require_ssl = false
rgw_s3_auth_use_sts = {sts}
rgw_sts_key = abcdefghijklmnop
# Collect deleted objects within seconds, or a long test would fill the memory.
rgw_gc_obj_min_wait = 1
rgw_gc_processor_period = 2
rgw_gc_processor_max_time = 60

debug_rgw = 1
debug_osd = 0/0
debug_mon = 0/0
debug_ms = 0/0
debug_rocksdb = 0/0
"""


class CephRGW(Service):
    """A RADOS Gateway with one user in the default tenant and one in the tenant ``cesnet``."""

    user = "demo"
    access_key = "demokey"
    secret_key = "demosecretdemosecret"
    tenant = "cesnet"
    tenant_access_key = "tenantkey"
    tenant_secret_key = "tenantsecrettenantsecret"

    def __init__(self, directory: Path, *, sts: bool = False, root: Path | None = None) -> None:
        """Keep the cluster's files below ``directory``.

        :param sts: let the gateway also serve STS (AssumeRole); the roles and the users' right
            to them are made by :meth:`admin` and :meth:`let_make_roles`.
        :param root: a directory with another Debian, whose Ceph is run. By default it is what
            the environment variable ``OAREPO_S3_TEST_CEPH_ROOT`` names, or else this machine's.
        """
        super().__init__(directory)
        named = os.environ.get(ROOT_VARIABLE)
        self.sts = sts
        chosen = root or (Path(named) if named else None)
        self.root = chosen.absolute() if chosen else None
        self.port = 0

    @property
    def endpoint_url(self) -> str:
        """Where the gateway listens."""
        return f"http://{HOST}:{self.port}"

    @property
    def version(self) -> str:
        """The gateway's version, such as ``16.2.15``, as it says itself."""
        # ceph version 16.2.15 (618f...) pacific (stable)
        return self._tool("radosgw", "--version").split()[2]

    def admin(self, *arguments: str) -> str:
        """Run ``radosgw-admin`` and return what it printed, mostly JSON.

        :raises ServiceError: with its complaint, when it fails.
        """
        return self._tool("radosgw-admin", *arguments)

    def let_make_roles(self) -> None:
        """Give the first user the right to make roles, which AssumeRole is for."""
        self.admin("caps", "add", "--uid", self.user, "--caps", "roles=*")

    def describe(self) -> dict[str, str]:
        """Return the address, the keys of both users, and what a role calls the first."""
        return {
            "endpoint_url": self.endpoint_url,
            "access_key": self.access_key,
            "secret_key": self.secret_key,
            "principal": f"arn:aws:iam:::user/{self.user}",
            "tenant": self.tenant,
            "tenant_access_key": self.tenant_access_key,
            "tenant_secret_key": self.tenant_secret_key,
        }

    def _launch(self) -> None:
        self._check_programs()
        fsid = str(uuid.uuid4())
        mon_port = free_port()
        self.port = free_port()
        self._write_configuration(fsid, mon_port)
        self._start_mon(fsid, mon_port)
        self._start_osd()
        gateway = self._daemon("radosgw", "-n", "client.rgw.a")
        wait_for_port(self.port, 60, gateway)
        self._create_users()

    def _check_programs(self) -> None:
        """Complain about a missing program before the first one runs."""
        for name in _PROGRAMS:
            self._command(name)

    def _write_configuration(self, fsid: str, mon_port: int) -> None:
        for name in ("mon", "osd", "mgr", "rgw"):
            (self.state / name).mkdir()
        text = _CONFIGURATION.format(
            fsid=fsid,
            host=HOST,
            mon_port=mon_port,
            rgw_port=self.port,
            state=self._seen_state,
            sts=str(self.sts).lower(),
        )
        self._configuration.write_text(text)

    def _start_mon(self, fsid: str, port: int) -> None:
        monmap = str(self._seen_state / "monmap")
        address = f"[v2:{HOST}:{port}]"
        self._tool("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, monmap)
        self._tool("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap)
        wait_for_port(port, 30, self._daemon("ceph-mon", "-i", "a"))

    def _start_osd(self) -> None:
        """Start the osd without waiting for it; the gateway opens its port only after it is up."""
        osd_uuid = str(uuid.uuid4())
        self._tool("ceph", "--connect-timeout", "15", "osd", "new", osd_uuid)
        self._tool("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd_uuid)
        self._daemon("ceph-osd", "-i", "0")

    def _create_users(self) -> None:
        self._create_user(self.access_key, self.secret_key)
        self._create_user(self.tenant_access_key, self.tenant_secret_key, "--tenant", self.tenant)

    def _create_user(self, access_key: str, secret_key: str, *more: str) -> None:
        names = ["--uid", self.user, "--display-name", self.user]
        keys = ["--access-key", access_key, "--secret", secret_key]
        self.admin("user", "create", *names, *keys, *more)

    def _stop_process(self, process: subprocess.Popen[bytes]) -> None:
        """Do not wait long: nothing is worth saving, and RGW 20 takes half a minute to end."""
        stop_process(process, timeout=3)

    @property
    def _configuration(self) -> Path:
        return self.state / "ceph.conf"

    @property
    def _seen_state(self) -> Path:
        """The directory ``state``, as Ceph's programs see it."""
        return _STATE_IN_ROOT if self.root else self.state

    def _daemon(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = self._command(program, "-f", *arguments)
        return self._spawn(program, command, env=clean_environment("CEPH_", "PYTHON"))

    def _tool(self, program: str, *arguments: str) -> str:
        command = self._command(program, *arguments)
        return self._run(command, env=clean_environment("CEPH_", "PYTHON"))

    def _command(self, program: str, *arguments: str) -> list[str]:
        """Return the command line of a Ceph program; all of them are built here."""
        configuration = str(self._seen_state / self._configuration.name)
        if self.root is None:
            path = find_program(program, PACKAGES)
            return [str(path), "-c", configuration, *arguments]
        if not (self.root / "usr/bin" / program).is_file():
            raise Missing(f"{program} in {self.root}", PACKAGES)
        # Who is not root may mount only as the root of a namespace of their own.
        namespace = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
        enter = ["sh", "-c", _ENTER_ROOT, "sh", str(self.root), str(self.state)]
        return [*namespace, *enter, f"/usr/bin/{program}", "-c", configuration, *arguments]
