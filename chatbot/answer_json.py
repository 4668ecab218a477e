"""An Answer as the JSON object that evaluators script against. The command line's contract, in one place."""

from dataclasses import asdict

from chatbot.types import Answer, Citation


def answer_json(answer: Answer) -> dict[str, object]:
    """Return the object; keys and their meaning are a contract, so they only ever grow."""
    return {
        "question": answer.question,
        "text": answer.text,
        "abstained": answer.abstained,
        "reason": answer.reason,
        "probability": answer.probability,
        "citations": [_citation(citation) for citation in answer.citations],
        "dangling": list(answer.dangling),
        "evidence": [
            {
                "number": item.number,
                "doc_id": item.doc_id,
                "title": item.title,
                "start": item.span.start,
                "end": item.span.end,
                "quote": item.quote,
            }
            for item in answer.evidence
        ],
        "hits": [
            {
                "doc_id": hit.chunk.doc_id,
                "start": hit.chunk.span.start,
                "end": hit.chunk.span.end,
                "score": hit.score,
            }
            for hit in answer.hits
        ],
        "model": answer.model,
        "timings": asdict(answer.timings),
    }


def _citation(citation: Citation) -> dict[str, object]:
    return {
        "marker": citation.marker,
        "doc_id": citation.doc_id,
        "title": citation.title,
        "source": citation.source,
        "page": citation.page,
        "start": citation.span.start,
        "end": citation.span.end,
        "quote": citation.quote,
        "support": citation.support.value,
        "reasons": list(citation.reasons),
        "answer_start": citation.answer_span.start,
        "answer_end": citation.answer_span.end,
    }
