"""brisknet.datasets: the built-in tables, and where MNIST comes from; no test needs the network."""

import gzip
import io
import os
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest

from brisknet.datasets import diabetes, digits, files, mnist, movie_reviews

DATA = Path(os.environ.get("BRISKNET_DATA", "/nonexistent"))
ROWS = {"train": 6, "test": 4}


@pytest.fixture
def places(monkeypatch, tmp_path):
    """(data folder, cache folder) of the test's own, an MNIST of 6 + 4 images, and a download that can't work."""
    data, cache = tmp_path / "data", tmp_path / "cache"
    data.mkdir()
    monkeypatch.setenv("BRISKNET_DATA", str(data))
    monkeypatch.setenv("BRISKNET_CACHE", str(cache))
    monkeypatch.setattr(mnist, "_ROWS", ROWS)
    monkeypatch.setattr(mnist, "URL", (tmp_path / "nowhere" / "mnist.npz").as_uri())
    return data, cache


def images(part):
    rng = np.random.default_rng(len(part))
    return rng.integers(0, 256, (ROWS[part], 28, 28), np.uint8), rng.integers(0, 10, ROWS[part]).astype(np.uint8)


def write_idx(path, array, code=8):
    """An IDX file of an array, compressed where the name ends in .gz."""
    head = bytes([0, 0, code, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    raw = head + array.tobytes()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


def write_part(folder, part, front="", end=".gz"):
    name = "train" if part == "train" else "t10k"
    x, y = images(part)
    write_idx(folder / f"{front}{name}-images-idx3-ubyte{end}", x)
    write_idx(folder / f"{front}{name}-labels-idx1-ubyte{end}", y)


def write_npz(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    (a, b), (c, d) = images("train"), images("test")
    np.savez_compressed(path, x_train=a, y_train=b, x_test=c, y_test=d)
    return files.sha256(path)


def check(loaded, part):
    for got, want in zip(loaded, images(part), strict=True):
        assert got.dtype == np.uint8 and got.flags.writeable
        np.testing.assert_array_equal(got, want)


# ---- the built-in tables ----------------------------------------------------------------------------------------------
def test_digits():
    (x, y), (x_test, y_test) = digits.load_data()
    assert x.shape == (1437, 8, 8) and x_test.shape == (360, 8, 8) and y.shape == (1437,) and y_test.shape == (360,)
    assert {a.dtype for a in (x, y, x_test, y_test)} == {np.dtype(np.uint8)}
    x, y = np.concatenate([x, x_test]), np.concatenate([y, y_test])
    # the counts that UCI publishes for the test part of the data set
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert x.min() == 0 and x.max() == 16
    first = [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]  # the two upper lines of the first image, a zero
    assert y[(x.reshape(-1, 64)[:, :16] == first).all(axis=1)].tolist() == [0]


def test_diabetes():
    (x, y), (x_test, y_test) = diabetes.load_data()
    assert x.shape == (353, 10) and x_test.shape == (89, 10) and y.dtype == x.dtype == np.float64
    assert len(diabetes.FEATURES) == 10
    x, y = np.concatenate([x, x_test]), np.concatenate([y, y_test])
    first = (x == [59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87]).all(axis=1)
    assert y[first].tolist() == [151]
    assert (y.min(), y.max()) == (25, 346) and y.mean() == pytest.approx(152.133484, abs=1e-6)
    assert np.isfinite(x).all()


@pytest.mark.parametrize("module", [digits, diabetes])
def test_splits(module):
    (a, _), (b, _) = module.load_data()
    (c, _), (d, _) = module.load_data()
    np.testing.assert_array_equal(a, c)
    np.testing.assert_array_equal(b, d)
    (e, _), _ = module.load_data(seed=1)
    assert not np.array_equal(a, e)
    (everything, _), (nothing, labels) = module.load_data(test_split=0)
    assert len(everything) == len(a) + len(b) and len(nothing) == len(labels) == 0
    a[...] = 0  # a caller's changes stay the caller's
    assert module.load_data()[0][0].any()
    for wrong in (1, -0.1, 1.5, "0.2", None, True, float("nan")):
        with pytest.raises(ValueError, match="test_split"):
            module.load_data(test_split=wrong)


def test_split_is_that_of_keras():
    x = np.arange(10)
    (train, y), (test, _) = files.split_rows(x, 2 * x, 0.25, 113)
    order = np.arange(10)
    np.random.RandomState(113).shuffle(order)
    assert train.tolist() == order[:7].tolist() and test.tolist() == order[7:].tolist()
    assert (y == 2 * train).all()


def test_built_in_files_are_small():
    folder = Path(files.__file__).parent
    sizes = {p.name: p.stat().st_size for p in folder.glob("*.csv.gz")}
    assert set(sizes) == {"digits.csv.gz", "diabetes.csv.gz"} and sum(sizes.values()) < 80_000


# ---- MNIST from files -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("front", "end"), [("", ".gz"), ("", ""), ("mnist-", ".gz")])
def test_mnist_from_the_original_files(places, front, end):
    for part in ROWS:
        write_part(places[0], part, front, end)
    train, test = mnist.load_data()
    check(train, "train")
    check(test, "test")
    check(mnist.load_test(), "test")


def test_mnist_test_images_alone(places):
    data, cache = places
    write_part(data, "test", "mnist-")
    check(mnist.load_test(download=False), "test")
    with pytest.raises(OSError) as caught:
        mnist.load_data()
    message = str(caught.value)
    for part in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "load_test()", mnist.URL, "'mnist.npz'"):
        assert part in message
    assert repr(str(cache)) in message and repr(str(data)) in message and "t10k-images" not in message
    assert list(cache.iterdir()) == []  # nothing half-made stays


def test_mnist_npz_in_the_data_folder(places):
    write_npz(places[0] / "mnist.npz")
    check(mnist.load_data()[0], "train")
    check(mnist.load_test(), "test")


def test_mnist_absent(places, monkeypatch):
    monkeypatch.delenv("BRISKNET_DATA")
    with pytest.raises(FileNotFoundError, match=r"mnist\.npz.*BRISKNET_DATA"):
        mnist.load_test(download=False)
    with pytest.raises(OSError, match="could not download"):
        mnist.load_test()


def test_data_folder_must_be_one(places, monkeypatch):
    monkeypatch.setenv("BRISKNET_DATA", str(places[0] / "absent"))
    with pytest.raises(NotADirectoryError, match="BRISKNET_DATA"):
        mnist.load_test()


def test_cache_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("BRISKNET_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert files.cache_directory() == tmp_path / "own"
    monkeypatch.delenv("BRISKNET_CACHE")
    assert files.cache_directory() == tmp_path / "xdg" / "brisknet"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the XDG rules: to be ignored
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.cache_directory() == tmp_path / ".cache" / "brisknet"


# ---- MNIST from the cache and the network -----------------------------------------------------------------------------
def test_mnist_from_the_cache(places, monkeypatch):
    monkeypatch.setattr(mnist, "SHA256", write_npz(places[1] / "other.npz"))
    check(mnist.load_data("other.npz")[1], "test")
    check(mnist.load_data(str(places[1] / "other.npz"))[1], "test")  # an absolute path
    check(mnist.load_test("other.npz", download=False), "test")


def test_mnist_damaged_in_the_cache(places):
    write_npz(places[1] / "mnist.npz")  # not the published checksum
    with pytest.raises(OSError, match="checksum is wrong"):
        mnist.load_data()
    assert (places[1] / "mnist.npz").is_file()


def test_mnist_download(places, monkeypatch, tmp_path):
    source = tmp_path / "server" / "mnist.npz"
    monkeypatch.setattr(mnist, "SHA256", write_npz(source))
    monkeypatch.setattr(mnist, "URL", source.as_uri())
    places[1].mkdir()
    (places[1] / "mnist.npz").write_bytes(b"damaged")  # is replaced
    check(mnist.load_data()[0], "train")
    source.unlink()
    check(mnist.load_data()[1], "test")  # from the cache now
    assert [p.name for p in places[1].iterdir()] == ["mnist.npz"]


def test_download_of_another_file(tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"something else")
    target = tmp_path / "cache" / "file"
    with pytest.raises(ValueError, match=f"SHA-256.*{'0' * 64}"):
        files.download(source.as_uri(), target, "0" * 64)
    assert list(target.parent.iterdir()) == []


def test_download_that_breaks_off(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Half(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x" * 500)

        def log_message(self, *args):
            pass

    target = tmp_path / "file"
    with HTTPServer(("127.0.0.1", 0), Half) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with pytest.raises((OSError, ValueError), match="127.0.0.1"):
            files.download(f"http://127.0.0.1:{server.server_port}/file", target, "0" * 64)
        thread.join()
    assert list(tmp_path.iterdir()) == []


# ---- damaged files ----------------------------------------------------------------------------------------------------
def test_idx_types(tmp_path):
    for code, dtype in {0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}.items():
        values = np.array([[1, -2, 3], [4, 5, 100]], dtype)
        write_idx(tmp_path / "a", values, code)
        got = files.read_idx(tmp_path / "a")
        assert got.dtype == np.dtype(dtype).newbyteorder("=")
        np.testing.assert_array_equal(got, values)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (b"\0\0\x08", "not an IDX file"),
        (b"PK\x03\x04abc", "not an IDX file"),
        (b"\0\0\x07\x01\0\0\0\x01x", "not an IDX file"),
        (b"\0\0\x08\x03\0\0\0\x01", "not an IDX file"),
        (b"\0\0\x08\x01\0\0\0\x05abc", "5 bytes of data expected"),
        (b"\0\0\x08\x01\0\0\0\x02abc", "2 bytes of data expected"),
        (b"\0\0\x0e\x02\xff\xff\xff\xff\xff\xff\xff\xff", "damaged"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x05abcde")[:-9], "not a whole gzip file"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\0junkjunkjunk", "not a whole gzip file"),
    ],
)
def test_damaged_idx(tmp_path, content, message):
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        files.read_idx(path)
    assert "t10k-images" in str(caught.value)


def test_wrong_shape_is_no_mnist(places):
    write_part(places[0], "test")
    write_idx(places[0] / "t10k-labels-idx1-ubyte.gz", np.zeros(3, np.uint8))
    with pytest.raises(ValueError, match="t10k-images.*test part"):
        mnist.load_test()


def test_wrong_npz(places):
    path = places[0] / "mnist.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="not an .npz archive"):
        mnist.load_data()
    np.savez(path, x_test=np.zeros(3))
    with pytest.raises(ValueError, match="y_test"):
        mnist.load_test()
    np.savez(path, x_test=np.array([{}], object), y_test=np.zeros(3, np.uint8))  # pickled: could run code
    with pytest.raises(ValueError, match="allow_pickle"):
        mnist.load_test()


# ---- the real thing ---------------------------------------------------------------------------------------------------
@pytest.mark.skipif(not list(DATA.glob("*t10k-images-idx3-ubyte*")), reason="no MNIST files in BRISKNET_DATA")
def test_real_test_images():
    x, y = mnist.load_test(download=False)
    assert x.shape == (10000, 28, 28) and x.dtype == np.uint8
    assert np.bincount(y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert y[:5].tolist() == [7, 2, 1, 0, 4]
    assert x.mean() == pytest.approx(33.791224, abs=1e-5)


# ---- film reviews -------------------------------------------------------------------------------------------------
def write_reviews(path, each, folders=movie_reviews.CLASSES):
    """An archive of `each` texts in each of the folders, the last ones first."""
    with tarfile.open(path, "w:gz") as archive:
        for name in folders:
            for i in reversed(range(each)):
                raw = f"{name} {i} caf\xe9".encode("latin-1")
                member = tarfile.TarInfo(f"txt_sentoken/{name}/cv{i:03d}.txt")
                member.size = len(raw)
                archive.addfile(member, io.BytesIO(raw))


def test_reviews_are_split_class_by_class(places, monkeypatch):
    monkeypatch.setattr(movie_reviews, "_EACH", 10)
    write_reviews(places[0] / movie_reviews.NAME, 10)
    texts, labels = movie_reviews.load_texts(download=False)
    assert texts[0] == "neg 0 caf\xe9" and texts[-1] == "pos 9 caf\xe9" and labels.tolist() == [0] * 10 + [1] * 10
    (x, y), (x_test, y_test) = movie_reviews.load_data(0.3, seed=1)
    assert y.sum() == 7 and y_test.sum() == 3 and sorted([*x, *x_test]) == sorted(texts)
    assert all(t.startswith(movie_reviews.CLASSES[k]) for t, k in zip([*x, *x_test], [*y, *y_test], strict=True))
    assert y.tolist() != sorted(y)  # in no order of classes
    again = movie_reviews.load_data(0.3, seed=1)
    assert again[0][0].tolist() == x.tolist() and movie_reviews.load_data(0.3, seed=2)[1][0].tolist() != x_test.tolist()


def test_reviews_that_are_missing_damaged_or_others(places, monkeypatch):
    data, cache = places
    with pytest.raises(FileNotFoundError, match="review_polarity"):
        movie_reviews.load_data(download=False)
    write_reviews(data / movie_reviews.NAME, 3)
    with pytest.raises(ValueError, match=r"1000 reviews in each .* got {'neg': 3, 'pos': 3}"):
        movie_reviews.load_texts()
    whole = (data / movie_reviews.NAME).read_bytes()
    for damaged in (whole[:80], b"no archive"):
        (data / movie_reviews.NAME).write_bytes(damaged)
        with pytest.raises(ValueError, match="not a whole archive of film reviews"):
            movie_reviews.load_texts()


def test_reviews_come_from_the_network_into_the_cache(places, monkeypatch, tmp_path):
    served = tmp_path / "served.tar.gz"
    write_reviews(served, 4)
    monkeypatch.setattr(movie_reviews, "_EACH", 4)
    monkeypatch.setattr(movie_reviews, "URL", served.as_uri())
    monkeypatch.setattr(movie_reviews, "SHA256", files.sha256(served))
    assert len(movie_reviews.load_texts()[0]) == 8 and (places[1] / movie_reviews.NAME).is_file()
    monkeypatch.setattr(movie_reviews, "URL", (tmp_path / "nowhere").as_uri())
    assert len(movie_reviews.load_texts()[0]) == 8
    (places[1] / movie_reviews.NAME).write_bytes(b"altered")
    with pytest.raises(OSError, match="could not download"):
        movie_reviews.load_texts()


@pytest.mark.skipif(not (DATA / movie_reviews.NAME).is_file(), reason="BRISKNET_DATA has no film reviews")
def test_the_reviews():
    (x, y), (x_test, y_test) = movie_reviews.load_data()
    assert len(x) == 1600 and len(x_test) == 400 and y.mean() == y_test.mean() == 0.5
    assert files.sha256(DATA / movie_reviews.NAME) == movie_reviews.SHA256
