/** Classes of workers are words of a command line and parts of keys. */
export const classPattern = /^[a-z0-9][a-z0-9-]{0,31}$/;

export const usualClass = 'default';
