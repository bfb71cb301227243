import { type Settings, withApp } from './with-app.ts';

/** Moves every data key to the present master key. */
export const rotateKeys = (settings: Settings): Promise<void> =>
  withApp(
    settings,
    async (app) => {
      console.info(
        `${await app.rotateKeys()} keys moved to the present master key. MUHURI_MASTER_KEY_PREVIOUS may go once every process has restarted.`,
      );
    },
    { sweepMs: 3_600_000 },
  );
