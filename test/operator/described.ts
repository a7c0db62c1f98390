/** The published description of the operator API, and answers held against it. */

import { z } from 'zod'
import type { OperatorClient } from '../../src/doors/cli/operator-client.ts'

interface Operation {
  readonly summary: string
  readonly tags: readonly string[]
  readonly parameters?: readonly { name: string; in: string; required?: boolean }[]
  readonly requestBody?: { content: Record<string, { schema: { additionalProperties?: boolean } }> }
  readonly responses: Record<string, { content: Record<string, { schema: object }> }>
}

export interface Description {
  readonly openapi: string
  readonly info: { title: string; version: string; description: string }
  readonly tags: readonly { name: string; description: string }[]
  readonly components: { securitySchemes: Record<string, { type: string }> }
  readonly security: readonly Record<string, unknown>[]
  readonly paths: Record<string, Record<string, Operation>>
}

/** A client whose every answer must be as the description has it. */
export function holdingAnswers(client: OperatorClient, description: () => Promise<Description>): OperatorClient {
  return {
    async ask<T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: object, asking?: object): Promise<T> {
      const answer = await client.ask<T>(method, path, body, asking)
      const judged = shapeOf(await description(), method, path).safeParse(answer)
      if (!judged.success) throw new Error(`${method} ${path} is not as described: ${judged.error.message}`)
      return answer
    },
    close: () => client.close(),
  }
}

const shapes = new Map<string, z.ZodType>()

function shapeOf(description: Description, method: string, path: string): z.ZodType {
  const bare = `/1.0${path.split('?')[0]}`
  const template = Object.keys(description.paths)
    // A word before a parameter: `/tasks/{task}` is not `/tasks/me`.
    .toSorted((a, b) => a.split('{').length - b.split('{').length)
    .find(one => new RegExp(`^${one.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(bare))
  const operation = template && description.paths[template]![method.toLowerCase()]
  if (!operation) throw new Error(`${method} ${path} is not described`)
  const key = `${method} ${template}`
  const known = shapes.get(key)
  if (known) return known
  const done = operation.responses['200'] ?? operation.responses['201']
  const shape = z.fromJSONSchema(done!.content['application/json']!.schema as never)
  shapes.set(key, shape)
  return shape
}
