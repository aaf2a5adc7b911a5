/** What a trained model can be written as. */
export const exportFormats = ['onnx', 'safetensors', 'tfjs', 'pytorch'] as const;
export type ExportFormat = (typeof exportFormats)[number];
