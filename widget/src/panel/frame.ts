import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Api } from '../api.ts';
import type { Host } from '../host/host.ts';
import type { Words } from '../i18n/words.ts';

/** What every screen needs: the words, the server, the page around us. */
export type Frame = { words: Words; api: Api; host: Host; language: string };

export const FrameContext = createContext<Frame | null>(null);

export function useFrame(): Frame {
  const frame = useContext(FrameContext);
  if (!frame) throw new Error('outside the panel');
  return frame;
}
