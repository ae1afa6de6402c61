// Where things are drawn: boxes in columns, in the order in which they were computed, and boxes within boxes.
//
// arrange(items, links) lays out one level: items are {id, w, h, order}, links {id, from, to}. A group is laid out first, by itself, and is
// then one item of the level above, so groups never overlap. Lines into a group and out of it go through doors, items without a size at its
// left and right ends. All lengths are pixels; the direction is left to right.

const GAP = { column: 46, row: 18, group: 16, title: 22, bend: 10, door: 12 };

function arrange(items, links) {
  const byId = new Map(items.map((item) => [item.id, { ...item, ins: [], outs: [] }]));
  const boxes = [...byId.values()];
  const forward = [];
  for (const link of links) {
    const a = byId.get(link.from), b = byId.get(link.to);
    if (!a || !b || a === b) continue;
    const [first, last] = a.order <= b.order ? [a, b] : [b, a]; // a group that is entered twice may make a circle; it is drawn, not ranked
    first.outs.push(last);
    last.ins.push(first);
    forward.push({ link, first, last });
  }
  rank(boxes);
  const columns = toColumns(boxes, forward);
  untangle(columns);
  return place(columns, boxes, forward);
}

function rank(boxes) {
  const sorted = boxes.filter((box) => !box.door).sort((p, q) => p.order - q.order);
  const known = (others) => others.filter((other) => !other.door);
  for (const box of sorted) box.rank = known(box.ins).reduce((most, other) => Math.max(most, other.rank + 1), 0);
  for (const box of sorted.reverse()) // what nothing leads to stands just before its first use
    if (!known(box.ins).length && known(box.outs).length) box.rank = Math.min(...known(box.outs).map((other) => other.rank)) - 1;
  const least = Math.min(...sorted.map((box) => box.rank)) - (boxes.some((box) => box.door === "in") ? 1 : 0);
  const most = Math.max(...sorted.map((box) => box.rank)) + 1;
  for (const box of boxes) box.rank = (box.door === "in" ? least : box.door ? most : box.rank) - least;
}

function toColumns(boxes, forward) {
  const columns = [];
  const put = (spot) => (columns[spot.rank] ??= []).push(spot);
  for (const box of [...boxes].sort((p, q) => p.order - q.order)) put(Object.assign(box, { before: [], after: [] }));
  for (const line of forward) {
    let last = line.first;
    line.bends = [];
    for (let r = line.first.rank + 1; r < line.last.rank; r++) {
      const bend = { rank: r, w: 0, h: GAP.bend, before: [last], after: [] };
      last.after.push(bend);
      line.bends.push(bend);
      put(bend);
      last = bend;
    }
    last.after.push(line.last);
    line.last.before.push(last);
  }
  return Array.from(columns, (column) => column ?? []);
}

function untangle(columns) {
  const number = (column) => column.forEach((spot, i) => (spot.i = i));
  columns.forEach(number);
  for (let sweep = 0; sweep < 12; sweep++) {
    const side = sweep % 2 ? "after" : "before";
    const walk = sweep % 2 ? [...columns].reverse() : columns;
    for (const column of walk) {
      for (const spot of column) {
        const others = spot[side];
        spot.key = others.length ? others.reduce((sum, other) => sum + other.i, 0) / others.length : spot.i;
      }
      column.sort((p, q) => p.key - q.key || p.i - q.i);
      number(column);
    }
  }
}

function place(columns, boxes, forward) {
  let x = 0;
  for (const column of columns) {
    const width = Math.max(0, ...column.map((spot) => spot.w)), first = column[0]?.door === "in";
    if (column[0]?.door === "out") x -= GAP.column - GAP.door;
    for (const spot of column) Object.assign(spot, { x: x + width / 2, left: x, right: x + width });
    x += width + (first ? GAP.door : GAP.column);
    let y = 0;
    for (const spot of column) {
      spot.y = y + spot.h / 2;
      y += spot.h + GAP.row;
    }
  }
  for (let sweep = 0; sweep < 24; sweep++) {
    const sides = sweep > 17 ? ["before", "after"] : sweep % 2 ? ["after"] : ["before"];
    for (const column of sweep % 2 ? [...columns].reverse() : columns) settle(column, sides);
  }
  const top = Math.min(0, ...boxes.map((box) => box.y - box.h / 2));
  const places = new Map(boxes.map((box) => [box.id, { x: box.x - box.w / 2, y: box.y - box.h / 2 - top, w: box.w, h: box.h, left: box.left, right: box.right }]));
  const bends = new Map(forward.map((line) => {
    const points = line.bends.flatMap((bend) => [bend.left, bend.right].map((x) => ({ x, y: bend.y - top })));
    return [line.link.id, line.first.id === line.link.from ? points : points.reverse()];
  }));
  const height = Math.max(0, ...boxes.map((box) => box.y + box.h / 2)) - top;
  return { places, bends, width: Math.max(0, x - GAP.column), height };
}

// Move each spot of a column towards the middle of its neighbours, as far as those above and below leave room.
function settle(column, sides) {
  const wish = column.map((spot) => {
    const others = sides.flatMap((side) => spot[side]);
    return others.length ? others.reduce((sum, other) => sum + other.y, 0) / others.length : spot.y;
  });
  const apart = (i) => (column[i - 1].h + column[i].h) / 2 + (column[i].w || column[i - 1].w ? GAP.row : 2);
  const runs = []; // spots that touch move as one, to the mean of what they wish
  column.forEach((spot, i) => {
    runs.push({ from: i, wish: wish[i], n: 1, offsets: [0] });
    while (runs.length > 1) {
      const [above, below] = runs.slice(-2);
      const reach = above.offsets[above.n - 1] + apart(below.from);
      if (above.wish + reach <= below.wish) break;
      runs.splice(-2, 2, {
        from: above.from,
        wish: (above.wish * above.n + (below.wish - reach) * below.n) / (above.n + below.n),
        n: above.n + below.n,
        offsets: [...above.offsets, ...below.offsets.map((offset) => offset + reach)],
      });
    }
  });
  for (const run of runs) run.offsets.forEach((offset, i) => (column[run.from + i].y = run.wish + offset));
}

// A line through points that leaves and arrives along the direction of the picture.
function curve(points, down) {
  const parts = [`M${points[0].x},${points[0].y}`];
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1], b = points[i], ahead = down ? b.y - a.y : b.x - a.x;
    const bow = ahead < 0 ? 24 - ahead / 4 : ahead / 2;
    const [p, q] = down ? [{ x: a.x, y: a.y + bow }, { x: b.x, y: b.y - bow }] : [{ x: a.x + bow, y: a.y }, { x: b.x - bow, y: b.y }];
    parts.push(`C${p.x},${p.y} ${q.x},${q.y} ${b.x},${b.y}`);
  }
  return parts.join("");
}

// The whole picture: {boxes: Map(id -> rectangle), groups: Map(id -> rectangle), lines: [{edges, path, end}], width, height}.
// `folded` holds the ids of groups that are drawn as one box; measure(id) gives the size of a node or of a folded group, titled(id) the width that
// a group needs for its title, `down` a picture from top to bottom.
function layOut(page, folded, measure, titled, down) {
  const groupOf = new Map(page.groups.map((group) => [group.id, group]));
  const turned = (size) => (down ? { w: size.h, h: size.w } : size);
  const chains = new Map(page.nodes.map((node) => [node.id, chainOf(node, groupOf, folded)]));
  const levels = new Map([["", { items: new Map(), links: new Map() }]]);
  const level = (id) => levels.get(id) ?? levels.set(id, { items: new Map(), links: new Map() }).get(id);
  for (const node of page.nodes) {
    const chain = chains.get(node.id);
    chain.forEach((id, i) => {
      const items = level(i ? chain[i - 1] : "").items;
      const item = items.get(id) ?? items.set(id, { id, order: Infinity }).get(id);
      item.order = Math.min(item.order, node.order);
    });
  }
  const lines = new Map(); // by their ends, so that several edges between two folded groups are one line
  page.edges.forEach((edge, i) => {
    const from = chains.get(edge.from), to = chains.get(edge.to);
    if (!from || !to || from.at(-1) === to.at(-1)) return;
    const loose = folded.has(from.at(-1)) || folded.has(to.at(-1));
    const key = loose ? `${from.at(-1)} ${to.at(-1)}` : `edge ${i}`;
    if (lines.has(key)) return void lines.get(key).edges.push(i);
    let depth = 0;
    while (from[depth] === to[depth]) depth++;
    const home = depth ? from[depth - 1] : "";
    lines.set(key, { key, edges: [i], from: from.at(-1), to: to.at(-1), home });
    level(home).links.set(key, { id: key, from: from[depth], to: to[depth] });
    for (let k = depth; k < from.length - 1; k++) door(level(from[k]), key, "out", from[k + 1]);
    for (let k = depth; k < to.length - 1; k++) door(level(to[k]), key, "in", to[k + 1]);
    Object.assign(lines.get(key), { out: from.slice(depth, -1).reverse(), into: to.slice(depth, -1) });
  });
  const sideways = down ? { along: GAP.title, across: GAP.group } : { along: GAP.group, across: GAP.title };
  const done = new Map();
  for (const id of [...levels.keys()].sort((p, q) => depthOf(q, groupOf) - depthOf(p, groupOf))) {
    const { items, links } = levels.get(id);
    for (const item of items.values()) {
      if (item.door) continue;
      const inner = done.get(item.id);
      const size = inner ? { w: inner.width + sideways.along + GAP.group, h: inner.height + sideways.across + GAP.group } : turned(measure(item.id));
      if (inner) size[down ? "h" : "w"] = Math.max(size[down ? "h" : "w"], titled(item.id));
      Object.assign(item, size);
    }
    done.set(id, arrange([...items.values()], [...links.values()]));
  }
  return composed(done, levels, lines, sideways, down);
}

function distinct(points) {
  return points.filter((p, i) => !i || Math.abs(p.x - points[i - 1].x) + Math.abs(p.y - points[i - 1].y) > 1);
}

function door({ items, links }, key, side, inside) {
  const id = `${side} ${key}`;
  items.set(id, { id, w: 0, h: GAP.bend, door: side, order: side === "in" ? -Infinity : Infinity });
  links.set(id, side === "in" ? { id, from: id, to: inside } : { id, from: inside, to: id });
}

function chainOf(node, groupOf, folded) {
  const chain = [node.id];
  for (let group = groupOf.get(node.group); group; group = groupOf.get(group.parent)) chain.unshift(group.id);
  const cut = chain.findIndex((id) => folded.has(id));
  return cut < 0 ? chain : chain.slice(0, cut + 1);
}

function depthOf(id, groupOf) {
  let depth = 0;
  for (let group = groupOf.get(id); group; group = groupOf.get(group.parent)) depth++;
  return depth;
}

function composed(done, levels, lines, sideways, down) {
  const boxes = new Map(), groups = new Map(), origins = new Map([["", { x: 0, y: 0 }]]);
  const waiting = [""];
  while (waiting.length) {
    const id = waiting.pop(), origin = origins.get(id);
    for (const [item, place] of done.get(id).places) {
      if (levels.get(id).items.get(item).door) continue;
      const at = { ...place, x: place.x + origin.x, y: place.y + origin.y };
      (done.has(item) ? groups : boxes).set(item, at);
      if (done.has(item)) {
        origins.set(item, { x: at.x + sideways.along, y: at.y + sideways.across });
        waiting.push(item);
      }
    }
  }
  // A line keeps its height within a column, so that it passes between the boxes there, however wide they are.
  const placed = (id, item) => {
    const place = done.get(id).places.get(item), { x, y } = origins.get(id);
    return { y: place.y + place.h / 2 + y, left: place.left + x, right: place.right + x };
  };
  const bends = (id, key) => (done.get(id).bends.get(key) ?? []).map((p) => ({ x: p.x + origins.get(id).x, y: p.y + origins.get(id).y }));
  const entering = new Map(); // the lines into each box, from above to below, so that they do not cross at its door
  for (const line of lines.values()) {
    const a = boxes.get(line.from);
    const points = [{ x: a.x + a.w, y: a.y + a.h / 2 }];
    let inside = line.from;
    for (const id of line.out) {
      const end = placed(id, `out ${line.key}`);
      points.push({ x: placed(id, inside).right, y: points.at(-1).y }, ...bends(id, `out ${line.key}`), { x: end.left, y: end.y });
      inside = id;
    }
    points.push({ x: placed(line.home, inside).right, y: points.at(-1).y }, ...bends(line.home, line.key));
    let outside = line.home;
    for (const id of line.into) {
      const start = placed(id, `in ${line.key}`);
      points.push({ x: placed(outside, id).left, y: start.y }, { x: start.left, y: start.y }, ...bends(id, `in ${line.key}`));
      outside = id;
    }
    const others = entering.get(line.to) ?? entering.set(line.to, []).get(line.to);
    others.push({ ...line, points, left: placed(outside, line.to).left });
  }
  const drawn = [...entering].flatMap(([to, arriving]) => {
    const b = boxes.get(to);
    arriving.sort((p, q) => p.points.at(-1).y - q.points.at(-1).y);
    return arriving.map((line, k) => {
      const y = b.y + (b.h * (k + 1)) / (arriving.length + 1);
      const points = distinct([...line.points, { x: line.left - 4, y }, { x: b.x - 4, y }]);
      return { ...line, points: down ? points.map((p) => ({ x: p.y, y: p.x })) : points };
    });
  });
  const all = [...boxes, ...groups].map(([, box]) => box);
  if (down) for (const box of all) [box.x, box.y, box.w, box.h] = [box.y, box.x, box.h, box.w];
  return {
    boxes, groups, lines: drawn.map((line) => ({ ...line, path: curve(line.points, down), end: line.points.at(-1) })),
    width: Math.max(1, ...all.map((box) => box.x + box.w)), height: Math.max(1, ...all.map((box) => box.y + box.h)),
  };
}
