import type { Font } from './fonts.ts';

/**
 * A piece of text in one font and one direction. `top`: of the line as Noto Sans measures it; every
 * font stands on that line's baseline.
 */
export type Piece = {
  text: string;
  font: Font;
  size: number;
  color: string;
  x: number;
  top: number;
};
export type Box = { x: number; y: number; width: number; height: number };

/**
 * What a receipt is drawn on: a PDF, a page of a browser, or nothing but a measure. All lengths in
 * points, from the top left.
 */
export type Surface = {
  page(width: number, height: number): void;
  text(piece: Piece): void;
  boxes(boxes: Box[], color: string): void;
  /** A thin line across. */
  rule(x: number, y: number, width: number, color: string, isDashed?: boolean): void;
  image(bytes: Buffer, box: Box): void;
  /** Whatever `draw` draws, turned around a point and faint. */
  watermark(x: number, y: number, draw: () => void): void;
  /** How many pages there are by now, and something more on one of them, counted from 0. */
  pages(): number;
  onPage(page: number, draw: () => void): void;
};

/** Draws nothing, to learn how long something becomes. */
export const measure: Surface = {
  page: () => {},
  text: () => {},
  boxes: () => {},
  rule: () => {},
  image: () => {},
  watermark: () => {},
  pages: () => 0,
  onPage: () => {},
};

export const watermarkDegrees = -40;
export const watermarkOpacity = 0.1;
