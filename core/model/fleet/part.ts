import type { Scaler } from "../manifest.ts";

/**
 * What the fleet's network must be told of one sensor: closed form, a few kilobytes. All on the targets' links' scales.
 * `ridge` [targets, linear + 1, leads], the intercept last, from standardised features to the change from the last
 * value; `skip` [targets, linear, leads]: what the networks add to it, zeros where they have not seen the sensor;
 * `residualScale` [leads, targets]: RMS of what ridge leaves, positive; `widths` [leads, targets, quantiles - 1]:
 * pre-softplus gaps between ridge's residual quantiles, below the middle and then above, in residual scales; `bands`
 * [leads, targets, quantiles]: ridge's residual quantiles of late. `errorScale` [targets, errorLeads] and `pathScale`
 * [targets, pathLeads]: RMS of ridge's errors where it had not seen the rows, and standard deviation of the change.
 * `constants`: see `constantCount`.
 */
export type SensorPart = {
  sensorId: string;
  scaler: Scaler;
  ridge: Float32Array;
  skip: Float32Array;
  residualScale: Float32Array;
  widths: Float32Array;
  bands: Float32Array;
  errorScale: Float32Array;
  pathScale: Float32Array;
  constants: Float32Array;
};
