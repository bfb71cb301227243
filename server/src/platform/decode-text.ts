const byMark: [mark: number[], encoding: string][] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
];

/**
 * Bytes as the text they mean: by their byte order mark, which is taken off; else UTF-16 where
 * every other byte of a short beginning is zero, as JSON without a mark shows it; else by the
 * charset their sender names, where it is one we know; else UTF-8. What cannot be read becomes
 * U+FFFD.
 */
export function decodeText(bytes: Uint8Array, contentType = ''): string {
  const marked = byMark.find(([mark]) => mark.every((byte, i) => bytes[i] === byte));
  if (marked) return new TextDecoder(marked[1]).decode(bytes);
  const [first, second, third, fourth] = bytes;
  if (first === 0 && second && third === 0 && fourth)
    return new TextDecoder('utf-16be').decode(bytes);
  if (first && second === 0 && third && fourth === 0)
    return new TextDecoder('utf-16le').decode(bytes);
  const named = /charset\s*=\s*"?([\w.:-]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  return decoderOf(named).decode(bytes);
}

function decoderOf(name: string) {
  try {
    return new TextDecoder(name);
  } catch {
    return new TextDecoder('utf-8');
  }
}
