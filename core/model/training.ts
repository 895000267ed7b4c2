/** Why a target cannot be learnt. */
export type UntrainedReason = "shortHistory" | "stuck" | "gap" | "diverged";

/** A target that the model does not forecast, and why; `have` and `need` count grid steps. */
export type Untrained = { target: string; reason: UntrainedReason; message: string; have: number; need: number };

/** Steps done of all, and the loss of the last one. */
export type TrainProgress = { done: number; total: number; loss: number };
