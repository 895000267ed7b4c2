/** Answers with their tags, of which those used last are kept. */
export function keepAnswers(most: number) {
  const answers = new Map<string, { tag: string; text: string }>();
  return {
    get: (address: string) => answers.get(address),
    set(address: string, tag: string | null, text: string) {
      answers.delete(address);
      if (tag === null || most === 0) return;
      answers.set(address, { tag, text });
      const [oldest] = answers.keys();
      if (answers.size > most && oldest !== undefined) answers.delete(oldest);
    },
  };
}
