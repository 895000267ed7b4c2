export type LineSeries = {
  name: string;
  /** Sets colour, dash and marker, so that no line is told by colour alone. */
  look: "model" | "persistence" | "seasonal" | "fourth" | "fifth";
  values: (number | null)[];
};
