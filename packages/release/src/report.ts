/** Tells what a release does and finds, and remembers at the end what is broken and what is missing. */

export class Report {
  /** Each says what is wrong with what would be published: no release, and an exit code of 1. */
  readonly broken: string[] = []
  /** Each says what keeps this machine or workspace from publishing: a dry run goes on. */
  readonly missing: string[] = []
  /** Each says what somebody should look at before the release. */
  readonly remarks: string[] = []

  heading(text: string): void {
    console.log(`\n== ${text}`)
  }

  line(text: string): void {
    console.log(text)
  }

  /** Tells that something is broken. */
  breaks(text: string): void {
    this.broken.push(text)
    console.log(`BROKEN: ${text}`)
  }

  /** Tells that something is missing that only publishing needs. */
  lacks(text: string): void {
    this.missing.push(text)
    console.log(`MISSING: ${text}`)
  }

  /** Tells of something that nothing forbids. */
  remarksOn(text: string): void {
    this.remarks.push(text)
    console.log(`LOOK AT: ${text}`)
  }

  /** Whether a release may follow. */
  get isClear(): boolean {
    return this.broken.length === 0 && this.missing.length === 0
  }

  /** Says again what was broken, missing or remarkable. */
  close(): void {
    this.heading('Result')
    for (const text of this.remarks) console.log(`LOOK AT: ${text}`)
    for (const text of this.missing) console.log(`MISSING: ${text}`)
    for (const text of this.broken) console.log(`BROKEN: ${text}`)
    if (this.broken.length === 0) console.log('Nothing is broken.')
  }
}
