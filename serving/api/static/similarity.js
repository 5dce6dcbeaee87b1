// Cosines as people read them.

// Of two tracks.
export function percent(cosine) {
  return Math.round(Math.max(0, cosine) * 100);
}

// Of a query and a track. What a cosine is worth differs between models: the page comes with its
// model's scale, which serving/shown_similarity.py describes.
export function matchPercent(cosine) {
  const { similarityMidpoint, similarityWidth } = document.body.dataset;
  return Math.round(100 / (1 + Math.exp((similarityMidpoint - cosine) / similarityWidth)));
}
