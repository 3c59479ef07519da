import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from headwater.catalog import model_class
from headwater.errors import SettingError
from headwater.language.classification.convolutional import ConvolutionalNetwork, ConvolutionalSettings
from headwater.language.classification.neural import WordVectors, inside
from headwater.language.classification.recurrent import Recurrence, RecurrentNetwork, RecurrentSettings
from headwater.language.classification.transformer import TransformerClassifier, TransformerNetwork, TransformerSettings
from headwater.language.vocabulary import PADDING, UNKNOWN
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer.classifier import Examples

NAMES = ["cnn", "rnn", "lstm", "gru", "transformer"]
CELLS = [nn.RNN, nn.LSTM, nn.GRU]
TEXTS = [f"{word} film {'x ' * (n % 4)}" for n in range(12) for word in ("good", "bad")]
CLASSES = np.array([0, 1] * 12)
IDS = torch.tensor([[5, 3, 4, 8, 2, 6, 7]])


def words(token_dropout=0.0):
    torch.manual_seed(0)
    return WordVectors(10, 8, token_dropout)


def networks():
    yield ConvolutionalNetwork(words(), 3, ConvolutionalSettings(filters=5))
    for cell in CELLS:
        for layers, bidirectional in ((1, False), (2, True)):
            yield RecurrentNetwork(
                words(), 3, cell, RecurrentSettings(hidden=6, layers=layers, bidirectional=bidirectional)
            )
    yield TransformerNetwork(words(), 3, TransformerSettings(heads=2), 20)


def logits(network, ids, length):
    with torch.inference_mode():
        return network.eval()(ids, torch.tensor([length] * len(ids)))


def fitted(name, folder, texts=TEXTS, targets=CLASSES, *, n_classes=2, weights=None, epochs=12):
    folder.mkdir(exist_ok=True)
    model = model_class("text-classification", name)
    options = {"embedding": 16, "dropout": 0.1, "token_dropout": 0.0}
    options |= {"filters": 8} if name == "cnn" else {"layers": 1} if name == "transformer" else {"hidden": 16}
    run = Run(Settings(epochs=epochs, learning_rate=0.02, batch_size=8, device="cpu"), folder)
    examples = Examples(texts, targets, n_classes, weights)
    return model(model.Settings(**options)).fit(examples, examples, run)


@pytest.mark.parametrize("network", list(networks()), ids=lambda network: type(network).__name__)
def test_padding_changes_nothing(network):
    padded = torch.cat([IDS[:, :5], torch.full((1, 6), PADDING)], dim=1)
    other = torch.randint(2, 10, (1, 11), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        together = network.eval()(torch.cat([padded, other]), torch.tensor([5, 11]))[:1]
    torch.testing.assert_close(together, logits(network, IDS[:, :5], 5), atol=1e-5, rtol=0)
    assert torch.isfinite(logits(network, IDS[:, :1], 1)).all()


def test_convolution_equals_windows_taken_by_hand():
    network = ConvolutionalNetwork(words(), 3, ConvolutionalSettings(filters=5, widths=(3,)))
    found = logits(network, IDS, 7)
    vectors = nn.functional.pad(network.words.table(IDS)[0], (0, 0, 2, 2))
    kernel, bias = network.filters[0].weight, network.filters[0].bias
    windows = torch.stack([(vectors[i : i + 3].T * kernel).sum(dim=(1, 2)) + bias for i in range(9)])
    torch.testing.assert_close(found[0], network.out(windows.amax(dim=0).relu()), atol=1e-5, rtol=0)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (1, True), (2, True)])
def test_recurrences_and_their_gradients_equal_those_of_torch_over_packed_rows(cell, layers, bidirectional):
    settings = RecurrentSettings(hidden=6, layers=layers, bidirectional=bidirectional, dropout=0.0)
    recurrence = Recurrence(cell, 8, settings)
    reference = cell(8, 6, layers, batch_first=True, bidirectional=bidirectional)
    recurrence.load_state_dict(reference.state_dict())  # as run folders of packed rows named them
    vectors = torch.randn(3, 7, 8, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([7, 1, 4])
    packed = pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(reference(packed)[0], batch_first=True)
    here = inside(lengths, 7, vectors.device)
    found = recurrence(vectors, lengths)
    torch.testing.assert_close(found[here], expected[here], atol=1e-5, rtol=0)
    for states in (found, expected):
        states[here].square().sum().backward()
    torch.testing.assert_close(
        recurrence.layers[-1][-1].weight_hh_l0.grad, list(reference.parameters())[-3].grad, atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("cell", CELLS)
def test_half_precision_gives_nearly_the_same_gradients(cell):
    recurrence = Recurrence(cell, 8, RecurrentSettings(hidden=16))
    vectors, lengths = torch.randn(4, 9, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([9, 1, 4, 9])
    here, grads = inside(lengths, 9, vectors.device), []
    for precision in (torch.float32, torch.bfloat16):
        recurrence.zero_grad()
        with torch.autocast("cpu", precision, enabled=precision is torch.bfloat16):
            recurrence(vectors, lengths)[here].float().square().mean().backward()
        grads.append(torch.cat([weight.grad.flatten() for weight in recurrence.parameters()]))
    assert (grads[0] - grads[1]).norm() < 0.05 * grads[0].norm()


@pytest.mark.parametrize("cell", CELLS)
def test_recurrences_begin_orthogonal_and_lstms_remember(cell):
    for direction in RecurrentNetwork(words(), 3, cell, RecurrentSettings(hidden=6)).recurrent.layers[0]:
        gate = direction.weight_hh_l0[-6:]
        torch.testing.assert_close(gate @ gate.T, torch.eye(6), atol=1e-5, rtol=0)
        assert direction.bias_ih_l0.sum() == (6 if cell is nn.LSTM else 0)


def test_a_text_is_its_largest_and_its_normalised_mean_state():
    network = RecurrentNetwork(words(), 3, nn.GRU, RecurrentSettings(hidden=6))
    states = network.recurrent(network.words.table(IDS), torch.tensor([7]))[0]
    mean = states.mean(dim=0)
    normal = (mean - mean.mean()) / (mean.var(correction=0) + 1e-5).sqrt()
    expected = torch.cat([states.amax(dim=0), normal]) @ network.out.weight.T + network.out.bias
    torch.testing.assert_close(logits(network, IDS, 7), expected[None])


def test_networks_of_earlier_folders_answer_by_the_largest_states_alone():
    network = RecurrentNetwork(words(), 3, nn.GRU, RecurrentSettings(hidden=6))
    earlier = {name: weight for name, weight in network.state_dict().items() if not name.startswith("norm.")}
    earlier["out.weight"] = earlier["out.weight"][:, :12].clone()
    network.load_state_dict(earlier)
    largest = network.recurrent(network.words.table(IDS), torch.tensor([7])).amax(dim=1)
    expected = largest @ earlier["out.weight"].T + earlier["out.bias"]
    torch.testing.assert_close(logits(network, IDS, 7), expected)


def test_attention_equals_the_layers_one_by_one():
    network = TransformerNetwork(words(), 3, TransformerSettings(heads=2), 20)
    found = logits(network, IDS, 7)
    states = network.words.table(IDS) + network.places.weight[:7]
    for layer in network.encoder.layers:
        normed = layer.norm1(states)
        attended = nn.functional.multi_head_attention_forward(
            *[normed.transpose(0, 1)] * 3, 8, 2, layer.self_attn.in_proj_weight, layer.self_attn.in_proj_bias,
            None, None, False, 0.0, layer.self_attn.out_proj.weight, layer.self_attn.out_proj.bias,
        )[0].transpose(0, 1)  # fmt: skip
        states = states + attended
        states = states + layer.linear2(nn.functional.gelu(layer.linear1(layer.norm2(states))))
    torch.testing.assert_close(found, network.out(network.encoder.norm(states).mean(dim=1)), atol=1e-5, rtol=0)
    first, second = (layer.linear1.weight for layer in network.encoder.layers)
    assert not torch.equal(first, second)


def test_heads_must_divide_the_word_vector():
    model = TransformerClassifier(TransformerSettings(heads=3, embedding=16))
    message = "transformer: The heads must divide the word vector into equal parts. Got 3. Accepted: a divisor of 16"
    with pytest.raises(SettingError, match=message):
        model.network(WordVectors(4, 16, 0.0), 2)


def test_token_dropout_spares_padding_and_prediction():
    table = words(token_dropout=0.5)
    ids = torch.tensor([[3] * 50 + [PADDING] * 50])
    unknown = table.table.weight[UNKNOWN]
    dropped = (table.train()(ids)[0] == unknown).all(dim=1)
    assert 10 < dropped[:50].sum() < 40
    assert not dropped[50:].any()
    assert not (table.eval()(ids)[0] == unknown).all(dim=1).any()


@pytest.mark.parametrize("name", NAMES)
def test_learns_and_is_saved_whole(name, tmp_path):
    made = fitted(name, tmp_path / "run")
    assert made.logits(["good", "bad", "a good x x"]).argmax(axis=1).tolist() == [0, 1, 0]
    assert made.trace.stages[0].score > 0.9
    assert len(made.trace.curve) >= made.trace.curve[-1]["epoch"] >= 1
    made.save(tmp_path / "saved")
    again = type(made).load(tmp_path / "saved")
    inputs = [*TEXTS, "", "ζζζ 👍", "bad " * 25_000]
    np.testing.assert_array_equal(again.logits(inputs), made.logits(inputs))
    assert again.settings == made.settings
    assert made.logits([]).shape == (0, 2)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_weights(name, tmp_path):
    first, second = (fitted(name, tmp_path / part, epochs=2).model.state_dict() for part in ("a", "b"))
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("name", ["cnn", "transformer"])
def test_several_labels(name, tmp_path):
    texts = [f"{a} {b}" for a in ("red", "blue") for b in ("car", "bus")] * 8
    targets = np.array([[text.startswith("red"), "car" in text] for text in texts], dtype=np.float32)
    made = fitted(name, tmp_path, texts, targets, weights=np.ones(len(texts), dtype=np.float32))
    assert ((made.logits(["red bus", "blue car"]) > 0) == [[True, False], [False, True]]).all()


@pytest.mark.parametrize("name", ["cnn", "lstm"])
def test_pairs_and_chinese(name, tmp_path):
    pairs = [("很好", "房间"), ("很差", "房间"), ("很好", "服务"), ("很差", "服务")] * 6
    made = fitted(name, tmp_path, pairs, np.array([1, 0] * 12))
    assert made.logits([("很差", "床"), ("很好", "床")]).argmax(axis=1).tolist() == [0, 1]


def test_one_row(tmp_path):
    assert fitted("gru", tmp_path, ["only"], np.array([0]), n_classes=1, epochs=1).logits(["a", "b"]).shape == (2, 1)


def test_few_rows_are_passed_over_more_often():
    kind = model_class("text-classification", "cnn")
    epochs = [kind.completed(Settings(), rows).epochs for rows in (10, 300, 10_000)]
    assert epochs == [60, 45, 12]
    assert kind.completed(Settings(epochs=2, learning_rate=0.1), 10).epochs == 2
