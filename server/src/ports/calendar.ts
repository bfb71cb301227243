/** Days and times as people of a time zone say them. */
export type Calendar = {
  dayIn(at: Date, timeZone: string): string;
  localTime(at: Date, timeZone: string): { date: string; time: string };
};
