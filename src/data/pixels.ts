/**
 * Writes the images at `indices`, of `size` bytes each, one after the other into `to`, each byte divided by 255. Throws
 * `RangeError` for an index of no image and where `to` is too short.
 */
export type GatherPixels = (bytes: Uint8Array, size: number, indices: Int32Array, to: Float32Array) => void;

export const gatherPixels: GatherPixels = (bytes, size, indices, to) => {
  if (indices.length * size > to.length) throw new RangeError('There is no room for so many images.');
  const count = Math.floor(bytes.length / size);
  for (let image = 0; image < indices.length; image++) {
    const index = indices[image] as number;
    if (index < 0 || index >= count) throw new RangeError(`There is no image ${index}: there are ${count}.`);
    const start = index * size;
    const end = start + size;
    for (let from = start, at = image * size; from < end; from++, at++)
      to[at] = (bytes[from] as number) / 255;
  }
};
