// Copies images, stored as bytes, into a batch of floats.
#pragma once

#include <cstddef>
#include <cstdint>

namespace {

// Bytes of a cache line.
constexpr size_t cacheLine = 64;
// Images are scattered in memory, so the processor cannot predict the next one: it is prefetched this many images
// ahead.
constexpr size_t imagesAhead = 2;

void gatherPixels(const uint8_t* bytes, size_t size, const int32_t* indices, size_t count, float* __restrict to) {
  const auto image = [&](size_t at) { return bytes + static_cast<size_t>(indices[at]) * size; };
  for (size_t at = 0; at < count; ++at, to += size) {
    if (at + imagesAhead < count)
      for (size_t byte = 0; byte < size; byte += cacheLine) __builtin_prefetch(image(at + imagesAhead) + byte);
    const uint8_t* const from = image(at);
    // Divided, because multiplying by 1 / 255 rounds differently.
    for (size_t pixel = 0; pixel < size; ++pixel) to[pixel] = from[pixel] / 255.0f;
  }
}

}  // namespace
