import type { Annotation, AnnotationBody, AnnotationKind, Disturbance } from "./annotation.ts";

export type AnnotationQuery = {
  sensorId: string | null;
  kind: AnnotationKind | null;
  /** Those that touch [from, to). */
  from: Date | null;
  to: Date | null;
  /** With those that were taken back. */
  withRemoved: boolean;
  limit: number;
  /** The last one of the page before. */
  after: { from: Date; annotationId: string } | null;
};

/** Who changes an annotation, and when; by the grid's step it is known which points it leaves out. */
export type Act = { by: string; now: Date; stepSeconds: number };

/** What became of a change: `doubled` where another that holds says the very same of the same stretch. */
export type AnnotationChange =
  | { ok: true; annotation: Annotation }
  | { ok: false; reason: "unknown" | "removed" | "doubled" };

/** What people say of sensors' time. */
export type AnnotationStore = {
  /** Newest beginning first. */
  list(query: AnnotationQuery): Promise<Annotation[]>;
  get(annotationId: string): Promise<Annotation | null>;
  /** How many of the sensor's hold. */
  count(sensorId: string): Promise<number>;
  /**
   * Adds it. Where one that holds says the very same it gives that one back instead: asking twice makes one.
   */
  add(annotation: Annotation, stepSeconds: number): Promise<{ annotation: Annotation; isNew: boolean }>;
  change(annotationId: string, body: AnnotationBody, act: Act): Promise<AnnotationChange>;
  /** Takes it back; a second time changes nothing. */
  remove(annotationId: string, act: Act): Promise<AnnotationChange>;
  /** Lets it hold again; one that holds stays as it is. */
  restore(annotationId: string, act: Act): Promise<AnnotationChange>;
};

/** A sensor of which [from, to) is left out by a change, or is in again. */
export type ChangedSensor = { changeId: string; sensorId: string; from: Date; to: Date | null };

/** What learning, judging and training leave out. */
export type Disturbances = {
  /** Of these sensors, what touches (after, upTo]; sensors without any are not in it. */
  disturbing(sensorIds: string[], after: Date, upTo: Date): Promise<Map<string, Disturbance[]>>;
  /** Of these sensors, the changes that were not learnt from yet, in their order. */
  unlearnt(sensorIds: string[]): Promise<ChangedSensor[]>;
  /** These changes were learnt from. */
  learnt(changeIds: string[]): Promise<void>;
};

export type Annotations = AnnotationStore & Disturbances;
