// A cosine as people read it.

export function percent(cosine) {
  return Math.round(Math.max(0, cosine) * 100);
}
