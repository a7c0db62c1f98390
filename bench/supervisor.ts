/** The supervisor of a benchmark's environment: `smki serve` in a process of its own, for as long as its parent lives. */

import { homeAt } from '../src/main/home.ts'
import { type Service, serve } from '../src/main/serve.ts'
import { answerParent } from './child.ts'

export interface Served {
  readonly ports: Service['ports']
  readonly processes: Service['processes']
}

let starting: Promise<Service> | undefined

answerParent(
  async ({ home }: { home: string }): Promise<Served> => {
    starting = serve(homeAt(home))
    const { ports, processes } = await starting
    return { ports, processes }
  },
  async () => (await starting)?.stop(),
)
