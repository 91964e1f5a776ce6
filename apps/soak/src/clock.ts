/** The time of day of a time in milliseconds since 1970, to the millisecond. */
export const clock = (time: number): string => new Date(time).toISOString().slice(11, 23)
