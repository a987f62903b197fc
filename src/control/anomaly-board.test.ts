import assert from 'node:assert/strict';
import test from 'node:test';
import { noAnomaly } from '#model/anomaly.ts';
import { AnomalyBoard } from './anomaly-board.ts';

test('anomaly board: what one node sees is so, until that node sees it no more or is gone', () => {
  const board = new AnomalyBoard();
  assert.deepEqual(board.lookup('g/a:1'), noAnomaly);
  board.record('node-1', [['g/a:1', { isAnomalous: true, isMitigated: false }]]);
  board.record('node-2', [['g/a:1', { isAnomalous: false, isMitigated: true }]]);
  assert.deepEqual(board.lookup('g/a:1'), { isAnomalous: true, isMitigated: true });
  assert.deepEqual(board.lookup('g/a:2'), noAnomaly);
  board.record('node-1', [['g/a:1', noAnomaly]]);
  assert.deepEqual(board.lookup('g/a:1'), { isAnomalous: false, isMitigated: true });
  board.forget('node-2');
  assert.deepEqual(board.lookup('g/a:1'), noAnomaly);
});
