/* global tf */
// The model reads an image as MNIST has it: 28 rows of 28 pixels from 0 to 255, a white digit of 20 pixels whose centre
// of mass is in the middle.
const size = 28;
const digitSize = 20;

const pad = document.getElementById('pad');
const pen = pad.getContext('2d', { willReadFrequently: true });
const answer = document.getElementById('answer');
const list = document.getElementById('probabilities');
const model = tf.loadGraphModel('model/model.json');

let last;
const place = ({ offsetX, offsetY }) => ({ x: offsetX, y: offsetY });

pad.addEventListener('pointerdown', (event) => {
  pad.setPointerCapture(event.pointerId);
  last = place(event);
});
pad.addEventListener('pointermove', (event) => {
  if (!last) return;
  const next = place(event);
  pen.strokeStyle = '#fff';
  pen.lineWidth = 22;
  pen.lineCap = 'round';
  pen.beginPath();
  pen.moveTo(last.x, last.y);
  pen.lineTo(next.x, next.y);
  pen.stroke();
  last = next;
});
pad.addEventListener('pointerup', () => {
  last = undefined;
  void classify();
});
document.getElementById('clear').addEventListener('click', () => {
  pen.clearRect(0, 0, pad.width, pad.height);
  show(undefined);
});

/** The box around what is drawn; undefined for an empty pad. */
const drawnBox = () => {
  const { data, width, height } = pen.getImageData(0, 0, pad.width, pad.height);
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (data[(y * width + x) * 4 + 3] > 0) {
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
};

/** Draws a part of the pad at a place of a small canvas. Returns its pixels, 0 to 255. */
const scaled = (box, { x, y, scale }) => {
  const small = new OffscreenCanvas(size, size).getContext('2d');
  small.fillRect(0, 0, size, size);
  small.imageSmoothingQuality = 'high';
  const { left, top, width, height } = box;
  small.drawImage(pad, left, top, width, height, x, y, width * scale, height * scale);
  const { data } = small.getImageData(0, 0, size, size);
  return Float32Array.from({ length: size * size }, (_, at) => data[at * 4]);
};

const pixels = (box) => {
  const scale = digitSize / Math.max(box.width, box.height);
  const middle = { x: (size - box.width * scale) / 2, y: (size - box.height * scale) / 2, scale };
  const first = scaled(box, middle);
  let [mass, x, y] = [0, 0, 0];
  first.forEach((value, at) => {
    mass += value;
    x += value * ((at % size) + 0.5);
    y += value * (Math.floor(at / size) + 0.5);
  });
  return scaled(box, { x: middle.x + size / 2 - x / mass, y: middle.y + size / 2 - y / mass, scale });
};

const classify = async () => {
  const box = drawnBox();
  if (!box) return;
  const inputs = tf.tensor3d(pixels(box), [1, size, size]);
  const probabilities = await (await model).executeAsync({ inputs }, 'probabilities');
  show([...(await probabilities.data())]);
  tf.dispose([inputs, probabilities]);
};

const show = (probabilities) => {
  answer.value = probabilities ? String(probabilities.indexOf(Math.max(...probabilities))) : '?';
  list.replaceChildren(
    ...Array.from({ length: 10 }, (_, digit) => {
      const share = probabilities?.[digit] ?? 0;
      const item = document.createElement('li');
      const bar = document.createElement('span');
      bar.className = 'bar';
      bar.style.width = `${share * 100}%`;
      item.append(String(digit), bar, `${(share * 100).toFixed(1)} %`);
      return item;
    }),
  );
};

show(undefined);
