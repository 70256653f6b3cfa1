// What reading an expression shares: the collected problems, and the two kinds of parts.

import type { ASTNode } from '@marcbachmann/cel-js'
import type { NumberNode, TruthNode } from './tree.ts'

/** What is wrong with an expression, and where: `offset` counts UTF-16 code units from its start. */
export interface ExpressionProblem {
  readonly offset: number
  readonly problem: string
}

/** Reads parts of one expression; problems found on the way are collected, and null stands for what could not be read. */
export interface Reader {
  readonly problems: ExpressionProblem[]
  number(node: ASTNode): NumberNode | null
  truth(node: ASTNode): TruthNode | null
  refuse(node: ASTNode, sentence: string): null
}
