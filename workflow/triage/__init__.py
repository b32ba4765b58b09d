"""What a customer's message says of itself: language, topic, urgency, sentiment, whether they want a
person. Local, and each answer with the words that it rests on.
"""
