"""Training steps of Keras' recurrent layers on TensorFlow, timed on request."""

from recurrent import answer, step_batch, threads, timed_steps

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(1)
kinds = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple-rnn": keras.layers.SimpleRNN}


def build(work, mode):
    keras.utils.set_random_seed(1)
    inputs, lengths, labels = step_batch(work)
    given = keras.Input((work["steps"], work["features"]))
    mask = keras.Input((work["steps"],), dtype="bool") if work["variableLength"] else None
    cell = kinds[work["model"]](work["hidden"], return_sequences=work["bidirectional"])
    if work["bidirectional"]:
        read = keras.layers.Bidirectional(cell)(given)[:, -1]
    else:
        read = cell(given, mask=mask)
    model = keras.Model([given] if mask is None else [given, mask], keras.layers.Dense(work["classes"])(read))
    rate = {"sgd": keras.optimizers.SGD(0.01), "adam": keras.optimizers.Adam(1e-3)}
    model.compile(
        rate[work["optimizer"]],
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=mode == "xla",
    )
    data = [tf.constant(inputs)]
    if mask is not None:
        data.append(tf.sequence_mask(lengths, work["steps"]))
    targets = tf.constant(labels)
    fed = data if len(data) > 1 else data[0]

    @tf.function(jit_compile=mode == "xla")
    def compiled(fed, targets):
        with tf.GradientTape() as tape:
            loss = model.compute_loss(y=targets, y_pred=model(fed, training=True))
        model.optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
        return loss

    model.optimizer.build(model.trainable_variables)

    def step():
        return float(compiled(fed, targets))

    return step


answer({"steps": timed_steps(build)})
