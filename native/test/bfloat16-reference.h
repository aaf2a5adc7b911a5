// Products of bfloat16 operands as plain loops in single precision, to be compared bit for bit.
#pragma once

#include <cmath>
#include <cstring>
#include <vector>

namespace reference {

using Singles = std::vector<float>;

// The nearest bfloat16 number, of two equally near ones the even one; denormal numbers are zero.
inline float nearestBfloat16(float value) {
  if (std::isnan(value) || std::isinf(value)) return value;
  if (std::abs(value) < 1.17549435e-38f) return std::copysign(0.0f, value);
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t below = bits & 0xFFFF0000, rest = bits & 0xFFFF;
  const bool up = rest > 0x8000 || (rest == 0x8000 && (bits >> 16) % 2 == 1);
  const uint32_t nearest = up ? below + 0x10000 : below;
  float result;
  std::memcpy(&result, &nearest, sizeof result);
  return result;
}

inline Singles nearestBfloat16(Singles values) {
  for (float& one : values) one = nearestBfloat16(one);
  return values;
}

// How the terms of a sum are added: one by one in their order, or 32 at a time, the even ones and the odd ones apart.
enum class TermOrder { sequential, tiles };

// start + left * right over `terms` terms; left(at) and right(at) are the factors before rounding.
template <class Left, class Right>
float sumOfProducts(TermOrder order, float start, size_t terms, Left left, Right right) {
  const auto add = [&](size_t at, float sum) {
    return std::fma(nearestBfloat16(left(at)), nearestBfloat16(right(at)), sum);
  };
  float sum = start;
  if (order == TermOrder::sequential) {
    for (size_t at = 0; at < terms; ++at) sum = add(at, sum);
    return sum;
  }
  for (size_t first = 0; first < terms; first += 32) {
    float apart[2] = {0, 0};
    for (size_t at = first; at < terms && at < first + 32; ++at) apart[at % 2] = add(at, apart[at % 2]);
    sum += apart[0] + apart[1];
  }
  return sum;
}

}  // namespace reference
