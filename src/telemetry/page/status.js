'use strict';
// Asks /api/status every second and shows the answer. Texts go in as text, never as markup.

const POLL_MS = 1000;
const MOST_SHOWN = 500;  // rows of the table at a time

const element = (id) => document.getElementById(id);
const view = {filter: '', phase: '', sort: 'name', descending: false, open: new Set()};
let status = null;

const whole = new Intl.NumberFormat('en-US', {maximumFractionDigits: 0});
const short = new Intl.NumberFormat('en-US', {notation: 'compact', maximumFractionDigits: 1});

function number(value) {
  return value === null ? '–' : whole.format(value);
}

function duration(seconds) {
  if (seconds === null) return '–';
  if (seconds < 1) return '< 1 s';
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

function clock(seconds) {
  const pad = (part) => String(part).padStart(2, '0');
  const s = Math.max(0, Math.floor(seconds));
  return `${pad(Math.floor(s / 3600))}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`;
}

function ago(time) {
  return time === null ? '–' : `${duration((status.now - time) / 1000)} ago`;
}

function make(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function setText(id, text) {
  const node = element(id);
  if (node.textContent !== text) node.textContent = text;
}

function expected(counts) {
  return counts.estimated_rows === null ? null : Math.max(counts.estimated_rows, counts.rows_copied);
}

function showTotals() {
  setText('copied', number(status.rows_copied));
  const total = expected(status);
  setText('copied-of', total ? `of about ${short.format(total)}` : '');
  const bar = element('copied-bar');
  bar.hidden = !total;
  if (total) {
    bar.max = total;
    bar.value = status.rows_copied;
  }
  setText('changes', number(status.changes));
  setText('rate', number(status.rows_per_second));
  setText('lag', duration(status.lag_seconds));
  setText('retries', number(status.retries));
  setText('elapsed', clock(((status.ended ?? status.now) - status.began) / 1000));
  setText('version', `version ${status.version}`);
  const failed = status.tables_by_phase.failed;
  const text = status.error !== null ? 'failed' : status.ended !== null ? 'ended' : 'running';
  setText('state', failed > 0 ? `${text}, ${failed} failed` : text);
  element('state').className = failed > 0 || status.error !== null ? 'pill failed' : 'pill';
  showProblem(status.error);
}

function showProblem(text) {
  const problem = element('problem');
  problem.hidden = text === null;
  if (text !== null) problem.textContent = text;
}

function svg(name, attributes) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

// The values of the samples over time, from zero to their greatest.
function chart(id, member, unit) {
  const width = 600;
  const height = 120;
  const nodes = [svg('line', {class: 'base', x1: 0, x2: width, y1: height - 1, y2: height - 1})];
  const points = status.samples.filter((sample) => sample[member] !== null);
  const most = Math.max(0, ...points.map((sample) => sample[member]));
  if (points.length > 1) {
    const first = status.began;
    const span = Math.max(1, status.samples[status.samples.length - 1].time - first);
    const scale = most > 0 ? (height - 8) / most : 0;
    const places = points.map((sample) => [
      ((sample.time - first) / span) * width,
      height - 2 - sample[member] * scale,
    ]);
    const path = places.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' L');
    const end = places[places.length - 1][0].toFixed(1);
    const begin = places[0][0].toFixed(1);
    nodes.push(svg('path', {class: 'area', d: `M${begin},${height} L${path} L${end},${height} Z`}));
    nodes.push(svg('path', {class: 'line', d: `M${path}`}));
  }
  element(`${id}-chart`).replaceChildren(...nodes);
  setText(`${id}-most`, points.length > 0 ? `at most ${short.format(most)}${unit}` : '');
}

function showPhases() {
  const buttons = Object.entries(status.tables_by_phase)
    .filter(([phase, count]) => count > 0 || phase === view.phase)
    .map(([phase, count]) => {
      const pressed = phase === view.phase;
      return make('button', {'data-phase': phase, 'aria-pressed': pressed}, `${phase} ${count}`);
    });
  const focused = document.activeElement?.dataset?.phase;
  element('phases').replaceChildren(...buttons);
  if (focused) element('phases').querySelector(`[data-phase="${focused}"]`)?.focus();
}

const nameOf = (table) => `${table.keyspace}.${table.table}`;

function chosenTables() {
  const wanted = view.filter.toLowerCase();
  const key = (table) => (view.sort === 'name' ? nameOf(table) : table[view.sort] ?? -1);
  const sign = view.descending ? -1 : 1;
  return status.tables
    .filter((table) => nameOf(table).toLowerCase().includes(wanted))
    .filter((table) => view.phase === '' || table.phase === view.phase)
    .sort((a, b) => (key(a) < key(b) ? -sign : key(a) > key(b) ? sign : 0));
}

function cell(label, text, ...more) {
  return make('td', {class: 'number', 'data-label': label}, make('span', {}, text), ...more);
}

function countCells(counts, withBar) {
  const total = expected(counts);
  const text = total ? `${number(counts.rows_copied)} of about ${short.format(total)}` : number(counts.rows_copied);
  const bar = withBar && total && counts.phase !== 'done'
    ? [make('progress', {max: total, value: counts.rows_copied, 'aria-label': 'Rows copied'})]
    : [];
  return [cell('Rows copied', text, ...bar), cell('Changes', number(counts.changes))];
}

function phaseCell(phase) {
  return make('td', {}, make('span', {class: `phase ${phase}`}, phase));
}

function rowsOf(table) {
  const name = nameOf(table);
  const open = view.open.has(name);
  const button = make('button', {class: 'name', 'data-table': name, 'aria-expanded': open},
    make('span', {class: 'keyspace'}, `${table.keyspace}.`), table.table);
  const rows = [make('tr', {class: open ? 'open' : ''}, make('td', {}, button), phaseCell(table.phase),
    ...countCells(table, true), cell('Rows/s', number(table.rows_per_second)),
    cell('Lag', duration(table.lag_seconds)), cell('Checkpoint', ago(table.last_checkpoint)),
    cell('Retries', number(table.retries)))];
  if (!open) return rows;
  for (const shard of table.shards ?? []) {
    rows.push(make('tr', {class: 'detail'}, make('td', {}, `shard ${shard.shard}`), phaseCell(shard.phase),
      ...countCells(shard, true), make('td', {}), cell('Lag', duration(shard.lag_seconds)),
      make('td', {}), make('td', {})));
  }
  if (table.last_error !== null) {
    rows.push(make('tr', {class: 'detail error'}, make('td', {colspan: 8},
      `${ago(table.last_error_at)}: ${table.last_error}`)));
  }
  return rows;
}

function showTables() {
  const tables = chosenTables();
  const focused = document.activeElement?.dataset?.table;
  element('tables').replaceChildren(...tables.slice(0, MOST_SHOWN).flatMap(rowsOf));
  if (focused) {
    element('tables').querySelector(`[data-table="${CSS.escape(focused)}"]`)?.focus();
  }
  const hidden = Math.max(0, tables.length - MOST_SHOWN) + status.tables_not_listed;
  setText('left-out', hidden > 0 ? `and ${number(hidden)} more: filter them by name` : '');
  for (const heading of document.querySelectorAll('th')) {
    const sorts = heading.firstElementChild.dataset.sort === view.sort;
    if (sorts) heading.setAttribute('aria-sort', view.descending ? 'descending' : 'ascending');
    else heading.removeAttribute('aria-sort');
  }
}

function show() {
  if (status === null) return;
  showTotals();
  chart('rate', 'rows_per_second', '');
  chart('lag', 'lag_seconds', ' s');
  showPhases();
  showTables();
}

async function poll() {
  const named = [...view.open].pop() ?? '';
  try {
    const response = await fetch(`/api/status?table=${encodeURIComponent(named)}`);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    status = await response.json();
    show();
  } catch (error) {
    setText('state', 'no answer');
    element('state').className = 'pill lost';
    showProblem('The program does not answer: it has ended, or cannot be reached. What is shown is the last that it said.');
  }
  setTimeout(poll, POLL_MS);
}

element('filter').addEventListener('input', (event) => {
  view.filter = event.target.value;
  show();
});
element('phases').addEventListener('click', (event) => {
  const phase = event.target.dataset.phase;
  if (phase === undefined) return;
  view.phase = view.phase === phase ? '' : phase;
  show();
});
element('tables').addEventListener('click', (event) => {
  const name = event.target.closest('[data-table]')?.dataset.table;
  if (name === undefined) return;
  if (!view.open.delete(name)) view.open.add(name);
  show();
});
document.querySelector('thead').addEventListener('click', (event) => {
  const sort = event.target.dataset.sort;
  if (sort === undefined) return;
  view.descending = view.sort === sort ? !view.descending : sort !== 'name' && sort !== 'phase';
  view.sort = sort;
  show();
});
poll();
