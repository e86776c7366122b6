"""Available memory of the machine and of control groups, read from fake ``/proc`` and ``/sys`` files."""

import sys

import pytest

from wordvec.system.available_memory import available_memory

MIB = 1 << 20


def machine(root, available=800 * MIB, groups="0::/\n"):
    """Write ``/proc`` below ``root`` for a process in these control groups."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text(f"MemTotal: 9999999 kB\nMemFree: 1 kB\nMemAvailable: {available >> 10} kB\n")
    (root / "proc/self/cgroup").write_text(groups)
    return root


def group(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"memory.{name}").write_text(f"{text}\n")


def test_without_limits_the_kernel_estimate_counts(tmp_path):
    root = machine(tmp_path)
    group(root / "sys/fs/cgroup", max="max", current=3 * MIB, stat="inactive_file 5")
    assert available_memory(root) == 800 * MIB


@pytest.mark.parametrize("where", ["", "a", "a/b"])
def test_the_tightest_v2_group_counts(tmp_path, where):
    root = machine(tmp_path, groups="0::/a/b\n")
    for folder in ("", "a", "a/b"):
        group(root / "sys/fs/cgroup" / folder, max="max", current=MIB, stat="")
    stat = f"anon 7\nactive_file {10 * MIB}\ninactive_file {20 * MIB}\n"
    group(root / "sys/fs/cgroup" / where, max=100 * MIB, current=90 * MIB, stat=stat)
    assert available_memory(root) == 40 * MIB, "file pages count as free"


def test_v1_groups_count_their_descendants(tmp_path):
    root = machine(tmp_path, groups="9:name=systemd:/\n5:cpu,memory:/jobs/17\n4:cpuset:/\n")
    home = root / "sys/fs/cgroup/memory"
    group(home, limit_in_bytes=2**63 - 4096, usage_in_bytes=MIB, stat="")
    stat = f"inactive_file {50 * MIB}\ntotal_inactive_file {5 * MIB}\ntotal_active_file {MIB}\n"
    group(home / "jobs", limit_in_bytes=64 * MIB, usage_in_bytes=60 * MIB, stat=stat)
    assert available_memory(root) == 10 * MIB


def test_a_container_with_the_path_of_the_host(tmp_path):
    root = machine(tmp_path, groups="0::/docker/0123abc\n")
    group(root / "sys/fs/cgroup", max=70 * MIB, current=30 * MIB, stat="")
    assert available_memory(root) == 40 * MIB


def test_a_full_group_leaves_no_memory(tmp_path):
    root = machine(tmp_path)
    group(root / "sys/fs/cgroup", max=70 * MIB, current=71 * MIB, stat="")
    assert available_memory(root) == 0


def test_machine_memory_is_used_if_proc_is_missing(tmp_path, monkeypatch):
    values = {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr("os.sysconf", values.__getitem__, raising=False)
    assert available_memory(tmp_path) == 4_096_000
    monkeypatch.delattr("os.sysconf")
    assert available_memory(tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and /sys")
def test_this_machine_has_memory():
    assert available_memory() > MIB
