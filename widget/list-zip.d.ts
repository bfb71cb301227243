export type ZipEntry = {
  name: string;
  bytes(): Buffer;
};
/**
 * The files of a zip by its central directory; enough for what Zoho's packer writes (deflate or
 * stored, no zip64, no encryption).
 */
export declare function listZip(zip: Buffer): ZipEntry[];
