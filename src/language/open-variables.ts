/** Variables that every spec may read: none of them holds a secret that a record would keep. */
export const openVariables = ['MLFLOW_TRACKING_URI', 'MLFLOW_EXPERIMENT_NAME', 'USER', 'HOSTNAME'] as const;
