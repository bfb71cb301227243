import { hash } from 'node:crypto';

/** Returns the SHA-256 of a text or of bytes, in hexadecimal. */
export const sha256 = (data: string | Buffer): string => hash('sha256', data);
