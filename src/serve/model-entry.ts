import { axisNames } from '../export/head.ts';
import { onnxPorts } from '../export/onnx/to-onnx.ts';
import { shapeText } from './read-tensors.ts';
import { mediaTypesFor } from './read-body.ts';
import type { ServedModel } from './served-model.ts';

/** What `/models` shows of a model. */
export const modelEntry = ({ name, model }: ServedModel, isDefault: boolean) => {
  const { file } = model;
  const { inputs, outputs } = onnxPorts(file);
  return {
    name,
    default: isDefault,
    run: file.run,
    model: file.model.name,
    dataset: file.dataset.name,
    task: file.shape.task.kind,
    reads: shapeText(file),
    mediaTypes: mediaTypesFor(model),
    inputs,
    outputs,
    axes: axisNames(file),
    metrics: file.metrics,
  };
};
