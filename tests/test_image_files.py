"""Images of Pillow as arrays and back. The expected values are what Keras 3 gives."""

import io

import numpy as np
import pytest

from brisknet import utils

pytest.importorskip("PIL")


def picture(channels=3, height=4, width=6):
    return np.arange(height * width * channels, dtype="float32").reshape(height, width, channels)


def test_arrays_become_images_and_come_back():
    x = picture()
    img = utils.array_to_img(x)
    assert img.mode == "RGB" and img.size == (6, 4)
    back = utils.img_to_array(img)
    assert back.dtype == "float32" and back.shape == (4, 6, 3)
    np.testing.assert_array_equal(back, (x / x.max() * 255).astype("uint8"))
    np.testing.assert_array_equal(utils.img_to_array(utils.array_to_img(x, scale=False)), x)
    np.testing.assert_array_equal(utils.img_to_array(img, "channels_first", "uint8"), back.transpose(2, 0, 1))
    assert utils.array_to_img(x.transpose(2, 0, 1), data_format="channels_first").tobytes() == img.tobytes()


def test_grey_images_and_transparent_ones():
    assert utils.array_to_img(picture(4)).mode == "RGBA"
    grey = utils.array_to_img(picture(1) * 100, scale=False)
    assert grey.mode == "I" and utils.img_to_array(grey).max() == 2300
    assert utils.array_to_img(picture(1)).mode == "L"
    assert utils.img_to_array(utils.array_to_img(picture(1)), "channels_first").shape == (1, 4, 6)
    assert utils.img_to_array(utils.array_to_img(np.zeros((2, 2, 1)))).max() == 0


def test_files(tmp_path):
    x = picture(4)
    utils.save_img(tmp_path / "x.png", x, scale=False)
    np.testing.assert_array_equal(utils.img_to_array(utils.load_img(tmp_path / "x.png", "rgba")), x)
    assert utils.load_img(str(tmp_path / "x.png")).mode == "RGB"
    assert utils.load_img(tmp_path / "x.png", color_mode="grayscale").mode == "L"
    with pytest.warns(UserWarning, match="does not support RGBA"):
        utils.save_img(tmp_path / "x.jpg", x)
    assert utils.load_img(tmp_path / "x.jpg").size == (6, 4)
    stream = io.BytesIO()
    utils.save_img(stream, x, file_format="png")
    assert utils.load_img(stream, target_size=(8, 3)).size == (3, 8)


def test_resizing_cuts_to_the_proportions_around_the_centre(tmp_path):
    utils.save_img(tmp_path / "x.png", picture(1), scale=False)
    cut = utils.img_to_array(utils.load_img(tmp_path / "x.png", "grayscale", (2, 2), keep_aspect_ratio=True))
    np.testing.assert_array_equal(cut[..., 0], [[8, 10], [20, 22]])  # columns 1 to 4 of six
    whole = utils.img_to_array(utils.load_img(tmp_path / "x.png", "grayscale", (2, 2)))
    np.testing.assert_array_equal(whole[..., 0], [[7, 10], [19, 22]])


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda p: utils.array_to_img(np.ones((2, 3))), ValueError, r"rank 3, expected, got shape \(2, 3\)"),
    (lambda p: utils.array_to_img(np.ones((2, 3, 2))), ValueError, r"1, 3 or 4 channels"),
    (lambda p: utils.array_to_img(np.ones((2, 3, 1)), "NHWC"), ValueError, "data_format"),
    (lambda p: utils.img_to_array(np.ones(3)), ValueError, r"shape \(3,\)"),
    (lambda p: utils.load_img(3), TypeError, "got int"),
    (lambda p: utils.load_img(p, "cmyk"), ValueError, "'cmyk'"),
    (lambda p: utils.load_img(p, target_size=(2, 2), interpolation="area"), ValueError, "'area'"),
    (lambda p: utils.load_img(p), FileNotFoundError, "no.png"),
])  # fmt: skip
def test_bad_calls(call, error, message, tmp_path):
    with pytest.raises(error, match=message):
        call(tmp_path / "no.png")


def test_without_pillow_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(ImportError, match=r"pip install brisknet\[plot\]"):
        utils.array_to_img(np.ones((2, 2, 1)))
