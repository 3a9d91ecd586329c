/** What this node did since it started, counted where it happens and read when somebody asks for the metrics. */
import { Durations } from './durations.ts';

/** Labels are bounded where they come from; should that be wrong once, it must not cost the memory of everybody. */
const MAX_SERIES = 4000;

export interface Counted<Label extends string> {
  labels: Readonly<Record<Label, string>>;
}

/** One thing for each combination of labels that there was. */
export class ByLabels<Label extends string, Counter> {
  readonly #names: readonly Label[];
  readonly #create: () => Counter;
  readonly #counters = new Map<string, Counted<Label> & { counter: Counter }>();

  constructor(names: readonly Label[], create: () => Counter) {
    this.#names = names;
    this.#create = create;
  }

  /** @param values in the order of the names; whoever counts often keeps what this gives */
  at(...values: readonly string[]): Counter {
    const key = values.join('\n');
    const known = this.#counters.get(key);
    if (known !== undefined) return known.counter;
    if (this.#counters.size >= MAX_SERIES) return this.#other();
    return this.#add(key, values);
  }

  #other(): Counter {
    const values = this.#names.map(() => 'other');
    const key = values.join('\n');
    return this.#counters.get(key)?.counter ?? this.#add(key, values);
  }

  #add(key: string, values: readonly string[]): Counter {
    const labels = Object.fromEntries(this.#names.map((name, index) => [name, values[index] ?? '']));
    const counter = this.#create();
    this.#counters.set(key, { labels: labels as Record<Label, string>, counter });
    return counter;
  }

  get all(): IterableIterator<Counted<Label> & { counter: Counter }> {
    return this.#counters.values();
  }
}

/** Requests of one kind. */
export class RequestCounter {
  readonly durations = new Durations();
  /** By the first digit of their status. */
  readonly classes: number[] = [0, 0, 0, 0, 0, 0];
  /** Those that failed through us. */
  faults = 0;

  /** @param isFault false where an answer 5xx tells of others that cannot be reached */
  note(status: number, durationMs: number, isFault = status >= 500): void {
    if (isFault) this.faults++;
    const statusClass = Math.trunc(status / 100);
    this.classes[statusClass] = (this.classes[statusClass] ?? 0) + 1;
    this.durations.note(durationMs);
  }
}

export class Count {
  value = 0;
}

export class Tallies {
  /** Routes are templates: of the API as OpenAPI writes them, of authorities the names of their endpoints. */
  readonly requests = new ByLabels(['door', 'route', 'method'], () => new RequestCounter());
  readonly signatures = new ByLabels(['kind'], () => new Durations());
  /** Evaluations; what was answered from memory is a hit of its cache. */
  readonly resolutions = new ByLabels(['verdict'], () => new Durations());
  readonly admissions = new ByLabels(['outcome', 'reason'], () => new Count());
  readonly outbound = new ByLabels(['purpose', 'outcome'], () => new Durations());
}
