/**
 * Raised whenever the trainer would make other numbers out of the same configuration; a part of every run's id, so that
 * old results are not taken for new ones.
 */
export const trainerVersion = 1;
