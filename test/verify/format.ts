import { spawnSync } from 'node:child_process';

/** Puts every file into the one format. */
process.exit(
  spawnSync('node_modules/.bin/biome', ['format', '--write', '.'], { stdio: 'inherit' }).status ??
    1,
);
