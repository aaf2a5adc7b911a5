/**
 * When a file is safe from a power cut: at once, or `later`, when `syncFiles` has been called. The process may die at any
 * moment either way. It has its own file because the package's declarations use it, which must not need Node's types.
 */
export type Durability = 'at-once' | 'later';
