/** Questions to another process that wait for their answers. */
export class Questions<Answer> {
  private readonly open = new Map<number, (answer: Answer) => void>();
  private lastId = 0;

  /** @param send says the question, with the number that its answer will carry */
  ask(send: (id: number) => void): Promise<Answer> {
    this.lastId += 1;
    const id = this.lastId;
    return new Promise((resolve) => {
      this.open.set(id, resolve);
      send(id);
    });
  }

  answer(id: number, answer: Answer): void {
    this.open.get(id)?.(answer);
    this.open.delete(id);
  }
}
