"""ZIPs of many policies: what is in them, and the tricks that are refused."""

from __future__ import annotations

import contextlib
import io
import stat
import zipfile

import pytest

from trustportal.policies.importing import archives
from trustportal.policies.importing.archives import unpack_archive
from trustportal.policies.importing.reading import ImportRefused


def packed(entries: dict[str, bytes], *, links: tuple[str, ...] = ()) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFLNK if name in links else stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, content)
    return written.getvalue()


def test_files_come_in_order_without_folders_and_system_files() -> None:
    found = unpack_archive(
        packed(
            {
                "old/Kites.docx": b"a",
                "__MACOSX/old/._Kites.docx": b"x",
                "old/.DS_Store": b"x",
                "old/~$Kites.docx": b"x",
                "old/": b"",
                "Goats.txt": b"b",
            }
        ),
        "all.zip",
    )
    assert [(one.name, one.content, one.refused) for one in found] == [
        ("Kites.docx", b"a", ""),
        ("Goats.txt", b"b", ""),
    ]


@pytest.mark.parametrize(
    "path", ["../up.txt", "a/../../up.txt", "/etc/kites.txt", "..\\up.txt", "C:\\kites.txt"]
)
def test_a_path_that_leads_outside_is_refused_and_the_others_are_read(path: str) -> None:
    found = unpack_archive(packed({path: b"x", "Goats.txt": b"b"}), "all.zip")
    assert [one.content for one in found] == [None, b"b"]
    assert "outside" in found[0].refused
    assert "/" not in found[0].name
    assert "\\" not in found[0].name


def test_links_bombs_archives_and_damage_are_refused_one_by_one() -> None:
    content = packed(
        {
            "link.txt": b"/etc/hosts",
            "bomb.txt": bytes(20_000_000),
            "inner.zip": b"PK",
            "Goats.txt": b"b" * 50,
        },
        links=("link.txt",),
    )
    found = {one.name: one for one in unpack_archive(content, "all.zip")}
    assert "link" in found["link.txt"].refused
    assert "far more" in found["bomb.txt"].refused
    assert "archive inside" in found["inner.zip"].refused
    assert found["Goats.txt"].content == b"b" * 50
    broken = bytearray(packed({"Goats.txt": b"Goats are kept on the moor." * 9}))
    broken[45] ^= 0xFF
    assert "damaged" in unpack_archive(bytes(broken), "all.zip")[0].refused


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_no_damage_breaks_more_than_the_file_in_which_it_is(method: int) -> None:
    """Each byte altered in turn, in each way of packing: the file is refused, or the whole ZIP, with words."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        archive.writestr("Goats.txt", "Goats are kept on the moor. " * 9)
    whole = written.getvalue()
    for at in range(len(whole)):
        for mask in (0x01, 0xFF):
            broken = bytearray(whole)
            broken[at] ^= mask
            with contextlib.suppress(ImportRefused):
                assert all(
                    one.content is not None or one.refused for one in unpack_archive(bytes(broken), "all.zip")
                )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no zip", "not a ZIP"),
        (packed({}), "holds no files"),
        (packed({"__MACOSX/x": b"x"}), "holds no files"),
        (packed({f"{n}.txt": b"x" for n in range(archives.MOST_FILES + 1)}), "more than 200"),
        (packed({"[Content_Types].xml": b"x"}), "single Office file"),
    ],
)
def test_what_is_no_zip_of_policies_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(ImportRefused, match=told):
        unpack_archive(content, "all.zip")


def test_all_files_together_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 100)
    with pytest.raises(ImportRefused, match="far more"):
        unpack_archive(packed({"a.txt": b"a" * 60, "b.txt": b"b" * 60}), "all.zip")
