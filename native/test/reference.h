// A plain reference of each kernel: loops over single numbers in double precision, without packing. It shares only the
// shapes and the optimizers' settings with the fast kernels that are compared with it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../update-settings.h"

namespace reference {

using Numbers = std::vector<double>;

enum class Cell { lstm, gru, simpleRnn };

struct Layer {
  Cell cell;
  size_t batch, steps, features, hidden;
  double forgetBias;
  bool reverse;
  std::vector<int32_t> lengths;  // empty: every row has all steps
  // [batch, steps, features]; [features + hidden, columns * hidden]; [slots * hidden].
  Numbers inputs, kernel, bias;
  // [batch, hidden] or empty.
  Numbers initialHidden, initialCell, mask;

  size_t columns() const { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }
  size_t slots() const { return cell == Cell::simpleRnn ? 1 : 4; }
  size_t length(size_t row) const { return lengths.empty() ? steps : static_cast<size_t>(lengths[row]); }
  // The index of a row's step in a tensor [batch, steps].
  size_t place(size_t row, size_t step) const { return row * steps + (reverse ? length(row) - 1 - step : step); }
  // The kernel's column that the input or the state adds to a slot; -1: none.
  int columnOf(size_t slot, bool input) const {
    if (cell != Cell::gru || slot < 2) return static_cast<int>(slot);
    return input == (slot == 2) ? 2 : -1;
  }
};

struct Outputs {
  Numbers outputs, finalHidden, finalCell;
};

struct Gradients {
  Numbers kernel, bias, inputs, initialHidden, initialCell;
};

// The values of a step that its gradient needs: the state before it, the slots (gates after activation), and the cell.
struct Step {
  Numbers hidden, cell, slots, nextCell;
};

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

inline Numbers rowOf(const Numbers& matrix, size_t row, size_t size) {
  if (matrix.empty()) return Numbers(size, 0.0);
  const auto from = matrix.begin() + static_cast<std::ptrdiff_t>(row * size);
  return Numbers(from, from + static_cast<std::ptrdiff_t>(size));
}

inline double maskAt(const Layer& layer, size_t row, size_t unit) {
  return layer.mask.empty() ? 1.0 : layer.mask[row * layer.hidden + unit];
}

// One step of a row: the slots of the state before it, and the state after it.
inline Step stepOf(const Layer& layer, size_t row, size_t place, Numbers& hidden, Numbers& cell) {
  const size_t size = layer.hidden, columns = layer.columns();
  Step step{hidden, cell, Numbers(layer.slots() * size), {}};
  for (size_t slot = 0; slot < layer.slots(); ++slot)
    for (size_t unit = 0; unit < size; ++unit) {
      double sum = layer.bias[slot * size + unit];
      const int fromInput = layer.columnOf(slot, true), fromState = layer.columnOf(slot, false);
      for (size_t at = 0; fromInput >= 0 && at < layer.features; ++at)
        sum += layer.inputs[place * layer.features + at] *
               layer.kernel[(at * columns + static_cast<size_t>(fromInput)) * size + unit];
      for (size_t at = 0; fromState >= 0 && at < size; ++at)
        sum += hidden[at] * maskAt(layer, row, at) *
               layer.kernel[((layer.features + at) * columns + static_cast<size_t>(fromState)) * size + unit];
      step.slots[slot * size + unit] = sum;
    }
  for (size_t unit = 0; unit < size; ++unit) {
    double* const slot = &step.slots[unit];
    switch (layer.cell) {
      case Cell::lstm:
        slot[0] = sigmoid(slot[0]);
        slot[size] = std::tanh(slot[size]);
        slot[2 * size] = sigmoid(slot[2 * size] + layer.forgetBias);
        slot[3 * size] = sigmoid(slot[3 * size]);
        cell[unit] = slot[2 * size] * cell[unit] + slot[0] * slot[size];
        hidden[unit] = slot[3 * size] * std::tanh(cell[unit]);
        break;
      case Cell::gru:
        slot[0] = sigmoid(slot[0]);
        slot[size] = sigmoid(slot[size]);
        slot[2 * size] = std::tanh(slot[2 * size] + slot[0] * slot[3 * size]);
        hidden[unit] = (1 - slot[size]) * slot[2 * size] + slot[size] * hidden[unit];
        break;
      case Cell::simpleRnn:
        slot[0] = std::tanh(slot[0]);
        hidden[unit] = slot[0];
    }
  }
  step.nextCell = cell;
  return step;
}

// All steps of all rows, in the order of computing.
inline Outputs forward(const Layer& layer, std::vector<std::vector<Step>>& record) {
  const size_t size = layer.hidden;
  Outputs result{Numbers(layer.batch * layer.steps * size), {}, {}};
  record.assign(layer.batch, {});
  for (size_t row = 0; row < layer.batch; ++row) {
    Numbers hidden = rowOf(layer.initialHidden, row, size), cell = rowOf(layer.initialCell, row, size);
    for (size_t step = 0; step < layer.length(row); ++step) {
      const size_t place = layer.place(row, step);
      record[row].push_back(stepOf(layer, row, place, hidden, cell));
      for (size_t unit = 0; unit < size; ++unit) result.outputs[place * size + unit] = hidden[unit];
    }
    result.finalHidden.insert(result.finalHidden.end(), hidden.begin(), hidden.end());
    if (layer.cell == Cell::lstm) result.finalCell.insert(result.finalCell.end(), cell.begin(), cell.end());
  }
  return result;
}

// The gradient of a unit's slots before their activation, from that of its state. `hidden` and `cell` become the part
// of the gradient of the state before the step that does not pass through the kernel.
inline void unitBack(const Layer& layer, const Step& step, size_t unit, double& hidden, double& cell, double* to) {
  const size_t size = layer.hidden;
  const double* const slot = &step.slots[unit];
  switch (layer.cell) {
    case Cell::lstm: {
      const double i = slot[0], j = slot[size], f = slot[2 * size], o = slot[3 * size];
      const double squashed = std::tanh(step.nextCell[unit]);
      cell += hidden * o * (1 - squashed * squashed);
      to[0] = cell * j * i * (1 - i);
      to[size] = cell * i * (1 - j * j);
      to[2 * size] = cell * step.cell[unit] * f * (1 - f);
      to[3 * size] = hidden * squashed * o * (1 - o);
      cell *= f;
      hidden = 0;
      break;
    }
    case Cell::gru: {
      const double r = slot[0], z = slot[size], n = slot[2 * size], fromState = slot[3 * size];
      const double candidate = hidden * (1 - z) * (1 - n * n);
      to[0] = candidate * fromState * r * (1 - r);
      to[size] = hidden * (step.hidden[unit] - n) * z * (1 - z);
      to[2 * size] = candidate;
      to[3 * size] = candidate * r;
      hidden *= z;
      break;
    }
    case Cell::simpleRnn:
      to[0] = hidden * (1 - slot[0] * slot[0]);
      hidden = 0;
  }
}

// `upstream` holds the gradients of outputs, final hidden state and final cell; empty: zeros.
inline Gradients backward(const Layer& layer, const std::vector<std::vector<Step>>& record, const Outputs& upstream) {
  const size_t size = layer.hidden, columns = layer.columns();
  Gradients result{Numbers(layer.kernel.size()), Numbers(layer.bias.size()), Numbers(layer.inputs.size()), {}, {}};
  for (size_t row = 0; row < layer.batch; ++row) {
    Numbers hidden = rowOf(upstream.finalHidden, row, size), cell = rowOf(upstream.finalCell, row, size);
    for (size_t at = layer.length(row); at-- > 0;) {
      const Step& step = record[row][at];
      const size_t place = layer.place(row, at);
      Numbers slots(layer.slots() * size), before(size);
      for (size_t unit = 0; unit < size; ++unit) {
        if (!upstream.outputs.empty()) hidden[unit] += upstream.outputs[place * size + unit];
        unitBack(layer, step, unit, hidden[unit], cell[unit], &slots[unit]);
      }
      for (size_t slot = 0; slot < layer.slots(); ++slot)
        for (size_t unit = 0; unit < size; ++unit) {
          const double error = slots[slot * size + unit];
          const int toInput = layer.columnOf(slot, true), toState = layer.columnOf(slot, false);
          result.bias[slot * size + unit] += error;
          for (size_t from = 0; toInput >= 0 && from < layer.features; ++from) {
            const size_t weight = (from * columns + static_cast<size_t>(toInput)) * size + unit;
            result.kernel[weight] += layer.inputs[place * layer.features + from] * error;
            result.inputs[place * layer.features + from] += layer.kernel[weight] * error;
          }
          for (size_t from = 0; toState >= 0 && from < size; ++from) {
            const size_t weight = ((layer.features + from) * columns + static_cast<size_t>(toState)) * size + unit;
            result.kernel[weight] += step.hidden[from] * maskAt(layer, row, from) * error;
            before[from] += layer.kernel[weight] * error * maskAt(layer, row, from);
          }
        }
      for (size_t unit = 0; unit < size; ++unit) hidden[unit] += before[unit];
    }
    result.initialHidden.insert(result.initialHidden.end(), hidden.begin(), hidden.end());
    result.initialCell.insert(result.initialCell.end(), cell.begin(), cell.end());
  }
  return result;
}

// [rows, inner] times [inner, columns].
inline Numbers product(const Numbers& left, const Numbers& right, size_t rows, size_t inner, size_t columns) {
  Numbers result(rows * columns);
  for (size_t row = 0; row < rows; ++row)
    for (size_t column = 0; column < columns; ++column)
      for (size_t at = 0; at < inner; ++at)
        result[row * columns + column] += left[row * inner + at] * right[at * columns + column];
  return result;
}

inline Numbers transposed(const Numbers& matrix, size_t rows, size_t columns) {
  Numbers result(matrix.size());
  for (size_t row = 0; row < rows; ++row)
    for (size_t column = 0; column < columns; ++column) result[column * rows + row] = matrix[row * columns + column];
  return result;
}

// The optimizers' rules for one number: value `w`, gradient `g` and slots `s`, by the formulas in src/optimizers.
inline void sgd(const unroll::SgdSettings& set, double& w, double g, double*) { w -= set.learningRate * g; }

inline void momentum(const unroll::MomentumSettings& set, double& w, double g, double* s) {
  s[0] = set.momentum * s[0] - set.learningRate * g;
  w += s[0];
}

inline void nesterov(const unroll::NesterovSettings& set, double& w, double g, double* s) {
  s[0] = set.momentum * s[0] - set.learningRate * g;
  w += set.momentum * s[0] - set.learningRate * g;
}

template <bool centered, bool hasMomentum>
void rmsProp(const unroll::RmsPropSettings& set, double& w, double g, double* s) {
  s[0] = set.rho * s[0] + set.oneMinusRho * g * g;
  if (centered) s[1] = set.rho * s[1] + set.oneMinusRho * g;
  const double spread = centered ? s[0] - s[1] * s[1] : s[0];
  double move = set.learningRate * g / std::sqrt(spread + set.epsilon);
  if (hasMomentum) {
    double& velocity = s[centered ? 2 : 1];
    velocity = set.momentum * velocity + move;
    move = velocity;
  }
  w -= move;
}

inline void adagrad(const unroll::AdagradSettings& set, double& w, double g, double* s) {
  s[0] += g * g;
  w -= set.learningRate * g / std::sqrt(s[0] + set.epsilon);
}

inline void adadelta(const unroll::AdadeltaSettings& set, double& w, double g, double* s) {
  s[0] = set.rho * s[0] + set.oneMinusRho * g * g;
  const double change = g * std::sqrt(s[1] + set.epsilon) / std::sqrt(s[0] + set.epsilon);
  s[1] = set.rho * s[1] + set.oneMinusRho * change * change;
  w -= set.learningRate * change;
}

inline void adam(const unroll::AdamSettings& set, double& w, double g, double* s) {
  s[0] = set.beta1 * s[0] + set.oneMinusBeta1 * g;
  s[1] = set.beta2 * s[1] + set.oneMinusBeta2 * g * g;
  w = set.keep * w - set.stepSize * s[0] / (std::sqrt(s[1]) + set.epsilon);
}

inline void adamax(const unroll::AdamaxSettings& set, double& w, double g, double* s) {
  s[0] = set.beta1 * s[0] + set.oneMinusBeta1 * g;
  s[1] = std::max(set.beta2 * s[1], std::abs(g));
  w -= set.stepSize * s[0] / (s[1] + set.epsilon);
}

}  // namespace reference
