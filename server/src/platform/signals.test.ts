import { expect, test } from 'vitest';
import { openSignals, topic } from './signals.ts';

const [due, other] = [topic('due'), topic('other')];

test('a topic is heard by everybody who listens to it, and by nobody else', () => {
  const signals = openSignals();
  const heard: string[] = [];
  signals.on(due, (id) => heard.push(`first ${id}`));
  signals.on(due, (id) => heard.push(`second ${id}`));
  signals.on(other, (id) => heard.push(`other ${id}`));
  signals.raise(due, 'a');
  expect(heard).toEqual(['first a', 'second a']);
});

test('what was raised before anybody listened is heard once somebody does', () => {
  const signals = openSignals();
  const heard: string[] = [];
  signals.raise(due, 'a');
  signals.raise(due, 'a');
  signals.raise(due, 'b');
  signals.on(due, (id) => heard.push(id));
  expect(heard).toEqual(['a', 'b']);
});
