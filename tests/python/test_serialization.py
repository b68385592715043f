"""Model files: what save writes is what load gives, and what any safetensors library reads."""

import json
import pickle

import numpy as np
import pytest

import digitnet as dn


@pytest.fixture
def network(small_network):
    small_network.metadata = {"provenance": '{"seed": 1}', "note": "Grüße, 数字"}
    return small_network


@pytest.fixture
def path(network, tmp_path):
    network.save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def parts(path):
    """Header and data of a safetensors file."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    return json.loads(raw[8 : 8 + size]), raw[8 + size :]


def write(path, header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


INPUTS = np.random.default_rng(1).random((50, 12), dtype=np.float32)


def test_load_gives_what_was_saved(network, path):
    loaded = dn.Network.load(path)
    np.testing.assert_array_equal(loaded.logits(INPUTS), network.logits(INPUTS))
    assert (loaded.sizes, loaded.activation_names, loaded.loss) == (
        [12, 8, 4],
        ["tanh", "softmax"],
        network.loss,
    )
    assert loaded.metadata["note"] == "Grüße, 数字"
    assert loaded.metadata["provenance"] == '{"seed": 1}'


def test_the_same_network_gives_the_same_bytes(network, path, tmp_path):
    assert network.to_bytes() == path.read_bytes()
    dn.Network.load(path).save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_bytes_and_pickle(network):
    for twin in (dn.Network.from_bytes(network.to_bytes()), pickle.loads(pickle.dumps(network))):
        assert twin.to_bytes() == network.to_bytes()


def test_the_metadata_are_those_of_the_contract(path):
    header, data = parts(path)
    metadata = header.pop("__metadata__")
    assert metadata["format"] == "digitnet"
    assert metadata["version"] == "1"
    assert json.loads(metadata["architecture"]) == {
        "sizes": [12, 8, 4],
        "activations": ["tanh", "softmax"],
        "loss": "softmax_cross_entropy",
    }
    assert metadata["checksum"].startswith("sha256:")
    assert sorted(header) == ["layers.0.bias", "layers.0.weights", "layers.1.bias", "layers.1.weights"]
    assert len(data) == 4 * (12 * 8 + 8 + 8 * 4 + 4)


def test_the_safetensors_library_reads_our_files(network, path):
    safetensors = pytest.importorskip("safetensors.numpy")
    tensors = safetensors.load_file(path)
    assert len(tensors) == 4
    for i, layer in enumerate(network.layers):
        np.testing.assert_array_equal(tensors[f"layers.{i}.weights"], layer.weights)
        np.testing.assert_array_equal(tensors[f"layers.{i}.bias"], layer.bias)


def test_a_file_written_anew_by_the_safetensors_library_still_loads(network, path, tmp_path):
    safetensors = pytest.importorskip("safetensors")
    numpy = pytest.importorskip("safetensors.numpy")
    with safetensors.safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    numpy.save_file(numpy.load_file(path), tmp_path / "anew", metadata=metadata)
    np.testing.assert_array_equal(dn.Network.load(tmp_path / "anew").logits(INPUTS), network.logits(INPUTS))


def test_saving_replaces_a_file_whole(network, path):
    before = sorted(path.parent.iterdir())
    network.layers[0].bias[:] = 1
    network.save(path)
    assert np.all(dn.Network.load(path).layers[0].bias == 1)
    assert sorted(path.parent.iterdir()) == before


def test_weights_that_are_not_finite_are_not_saved(network, path):
    before = path.read_bytes()
    network.layers[1].weights[0, 0] = np.nan
    with pytest.raises(dn.ArgumentError, match=r"layers\.1\.weights: value 0 is .*nan"):
        network.save(path)
    assert path.read_bytes() == before


def test_keys_of_the_format_are_not_the_users(network, tmp_path):
    network.metadata = {"checksum": "mine"}
    with pytest.raises(dn.ArgumentError, match="checksum"):
        network.save(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written(network, tmp_path):
    for where in (tmp_path / "none" / "a", tmp_path):
        with pytest.raises(dn.IoError, match="save_network"):
            network.save(where)


def test_a_missing_file(tmp_path):
    with pytest.raises(dn.IoError, match=r"load_network: .*nothing.*No such file"):
        dn.Network.load(tmp_path / "nothing")


def flip_a_bit(header, data):
    return header, data[:20] + bytes([data[20] ^ 1]) + data[21:]


def change_the_metadata(header, data):
    header["__metadata__"]["provenance"] = '{"seed": 2}'
    return header, data


def swap_offsets(header, data):
    a, b = header["layers.0.bias"], header["layers.1.bias"]
    a["data_offsets"], b["data_offsets"] = b["data_offsets"], a["data_offsets"]
    return header, data


def leave_a_hole(header, data):
    last = max(
        (entry for name, entry in header.items() if name[0] != "_"), key=lambda entry: entry["data_offsets"]
    )
    last["data_offsets"] = [offset + 4 for offset in last["data_offsets"]]
    return header, data + b"\0\0\0\0"


def claim_another_shape(header, data):
    header["layers.0.weights"]["shape"] = [8, 12]
    return header, data


def drop_a_tensor(header, data):
    return {name: entry for name, entry in header.items() if name != "layers.0.bias"}, data


def another_dtype(header, data):
    header["layers.0.bias"]["dtype"] = "I32"
    return header, data


def another_format(header, data):
    header["__metadata__"]["format"] = "pt"
    return header, data


def newer_version(header, data):
    header["__metadata__"]["version"] = "99"
    return header, data


def more_data(header, data):
    return header, data + b"\0"


def less_data(header, data):
    return header, data[:-1]


def twice_the_same_key(header, data):
    text = json.dumps(header)
    return (text[:-1] + ', "layers.0.bias": ' + json.dumps(header["layers.0.bias"]) + "}").encode(), data


def deep_nesting(_, data):
    return b'{"__metadata__":' + b"[" * 5000 + b"]" * 5000 + b"}", data


def no_json(_, data):
    return b"{hello}", data


def not_utf8(_, data):
    return b'{"\xff": 1}', data


@pytest.mark.parametrize(
    "damage",
    [
        flip_a_bit,
        change_the_metadata,
        swap_offsets,
        leave_a_hole,
        claim_another_shape,
        drop_a_tensor,
        another_dtype,
        another_format,
        newer_version,
        more_data,
        less_data,
        twice_the_same_key,
        deep_nesting,
        no_json,
        not_utf8,
    ],
)
def test_a_damaged_file_is_a_format_error_of_one_line(path, damage):
    write(path, *damage(*parts(path)))
    with pytest.raises(dn.FormatError, match=r"^load_network: .*model\.safetensors: ") as caught:
        dn.Network.load(path)
    assert "\n" not in str(caught.value)


def test_every_prefix_of_a_file_is_a_format_error(network):
    raw = network.to_bytes()
    for size in [*range(0, len(raw) - 100, 97), *range(len(raw) - 100, len(raw))]:
        with pytest.raises(dn.FormatError):
            dn.Network.from_bytes(raw[:size])


def test_not_finite_weights_in_a_file_are_refused(network):
    raw = bytearray(network.to_bytes())
    raw[-4:] = np.float32(np.inf).tobytes()
    with pytest.raises(dn.FormatError):
        dn.Network.from_bytes(bytes(raw))


def test_half_precision_is_that_of_numpy(tmp_path):
    network = dn.Network([30, 20, 10], seed=1)
    network.save(tmp_path / "half.safetensors", precision="half")
    loaded = dn.Network.load(tmp_path / "half.safetensors")
    for before, after in zip(network.layers, loaded.layers):
        assert (after.weights == before.weights.astype(np.float16).astype(np.float32)).all()
    assert dn.Network.from_bytes(network.to_bytes(precision="half")).to_bytes() == loaded.to_bytes()
    with pytest.raises(
        dn.ArgumentError, match=r'^Network.save: precision "double", expected "full" or "half"$'
    ):
        network.save(tmp_path / "other", precision="double")
    network.layers[0].weights[3, 4] = 1e6
    with pytest.raises(
        dn.ArgumentError, match=r"value 64 is 1e.06, expected at most 65504 in half precision"
    ):
        network.to_bytes(precision="half")
