"""The questions of a form that names none: after a repair, NPS, and SERVQUAL's five dimensions. English and Chinese.

SERVQUAL: Parasuraman, Zeithaml, Berry 1988. NPS: Reichheld 2003.
"""

from collections.abc import Mapping

from ticketing.terms_service import FormKind, Question, Scale

RECOMMEND = Question(
    "recommend",
    "How likely are you to recommend our service to others (0 not at all, 10 certainly)?",
    "您有多大可能向他人推荐我们的服务（0 完全不会，10 一定会）？",
    Scale.NPS,
)
USUAL: Mapping[FormKind, tuple[Question, ...]] = {
    FormKind.REPAIR: (
        Question("speed", "How quickly did we respond?", "响应速度如何？"),
        Question("solved", "Is the problem solved?", "问题是否解决？"),
        Question("skill", "How professional was the work?", "专业水平如何？"),
        Question("communication", "How well were you kept informed?", "沟通情况如何？"),
        Question("costs", "How clear were the costs?", "费用是否透明？"),
    ),
    FormKind.NPS: (RECOMMEND,),
    FormKind.SERVQUAL: (
        Question(
            "tangibles", "Plant, tools and people make a well-kept impression.", "有形性：设施、工具与人员形象良好。"
        ),
        Question("reliability", "What is promised is done, right and on time.", "可靠性：承诺的服务准确、按时完成。"),
        Question("responsiveness", "Help is given willingly and promptly.", "响应性：乐于并迅速提供帮助。"),
        Question("assurance", "Staff know their trade and inspire confidence.", "保证性：人员专业、令人信任。"),
        Question("empathy", "My needs are understood and cared about.", "移情性：理解并关心我的需要。"),
    ),
}
"""Form kind to its questions."""
