export { type Attempt, countAttempts, listAttempts } from './miss.store.ts';
export { idsIn, openWalls, type Walls } from './watch-walls.ts';
