"""One training in Keras on TensorFlow, as the sweeps of the peers run it: the same work as torch_training.py."""

from recurrent import mnist, threads, toy_sequences

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(1)


def load(kind, folder):
    if kind == "tiny":
        return toy_sequences()
    images, labels, test_images, test_labels = mnist(folder)
    return (images, labels), (test_images, test_labels)


def train(kind, data, hidden, rate, seed=1):
    # Without it every trial's graph stays in memory.
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    (inputs, labels, *_), (test_inputs, test_labels, *_) = data
    classes = 2 if kind == "tiny" else 10
    first = [keras.layers.Masking()] if kind == "tiny" else []
    model = keras.Sequential(
        [keras.Input(inputs.shape[1:]), *first, keras.layers.LSTM(hidden), keras.layers.Dense(classes)]
    )
    model.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    if kind == "tiny":
        inputs, labels = inputs[:128], labels[:128]
    history = model.fit(inputs, labels, batch_size=128, epochs=1, verbose=0)
    _, accuracy = model.evaluate(test_inputs, test_labels, batch_size=250, verbose=0)
    return {"loss": history.history["loss"][-1], "accuracy": accuracy}
